export function LogoMark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className="shrink-0">
      <rect width="32" height="32" rx="8.5" className="fill-accent" />
      <g fill="none" strokeWidth="2.2" strokeLinecap="round" strokeLinejoin="round" className="stroke-on-accent">
        <path d="M7 18.500l5-5.500 4.500 3.500L24 8.500" /><path d="M19.500 8H24.500v5" />
        <path d="M8.500 24.500v-1.500M13.500 24.500v-4M18.500 24.500v-2.500M23.500 24.500v-6.500" />
      </g>
    </svg>
  );
}

export function Logo() {
  return <span className="flex items-center gap-2.5"><LogoMark /><span className="text-[15px] font-semibold tracking-[-0.01em]">Smart Reach</span></span>;
}
