import { useId, useState, type PointerEvent } from "react";
import { day } from "../lib/format";

const W = 240;
const H = 44;

export interface SparklineProps { values: readonly (number | null)[]; labels?: readonly string[] | undefined; format: (value: number) => string; title: string }

/** A small trend drawn as SVG; moving over it reads one day. Its numbers are told to screen readers in one sentence. */
export function Sparkline({ values, labels, format, title }: SparklineProps) {
  const gradient = useId();
  const [at, setAt] = useState<number | null>(null);
  const known = values.map((value, index) => ({ value, index })).filter((p): p is { value: number; index: number } => p.value !== null && Number.isFinite(p.value));
  if (known.length < 2) return <div className="h-11" aria-hidden="true" />;
  const low = Math.min(...known.map((p) => p.value));
  const high = Math.max(...known.map((p) => p.value));
  const range = high - low || 1;
  const x = (index: number) => (index / (values.length - 1)) * W;
  const y = (value: number) => H - 4 - ((value - low) / range) * (H - 10);
  const line = known.map((p, i) => `${i === 0 ? "M" : "L"}${x(p.index).toFixed(1)} ${y(p.value).toFixed(1)}`).join("");
  const first = known[0]!;
  const last = known[known.length - 1]!;
  const shown = at === null ? null : known.reduce((best, p) => (Math.abs(p.index - at) < Math.abs(best.index - at) ? p : best), first);
  const onMove = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    setAt(((event.clientX - box.left) / box.width) * (values.length - 1));
  };
  return (
    <div className="relative">
      <svg
        viewBox={`0 0 ${W} ${H}`} preserveAspectRatio="none" className="h-11 w-full overflow-visible" role="img"
        aria-label={`${title}, daily: from ${format(first.value)} to ${format(last.value)}, lowest ${format(low)}, highest ${format(high)}`}
        onPointerMove={onMove} onPointerLeave={() => setAt(null)}
      >
        <defs><linearGradient id={gradient} x1="0" y1="0" x2="0" y2="1"><stop offset="0" stopColor="var(--accent)" stopOpacity="0.2" /><stop offset="1" stopColor="var(--accent)" stopOpacity="0.01" /></linearGradient></defs>
        <path d={`${line}L${x(last.index)} ${H}L${x(first.index)} ${H}Z`} fill={`url(#${gradient})`} />
        <path d={line} fill="none" stroke="var(--accent)" strokeWidth="1.75" vectorEffect="non-scaling-stroke" strokeLinejoin="round" />
      </svg>
      {shown ? (
        <>
          <span aria-hidden="true" className="pointer-events-none absolute size-2 -translate-x-1/2 -translate-y-1/2 rounded-full border-2 border-surface bg-accent" style={{ left: `${(x(shown.index) / W) * 100}%`, top: `${(y(shown.value) / H) * 100}%` }} />
          <span aria-hidden="true" className="pointer-events-none absolute -top-7 z-10 -translate-x-1/2 rounded-md bg-ink px-1.5 py-0.5 text-[11px] font-medium whitespace-nowrap text-page" style={{ left: `${Math.min(84, Math.max(16, (x(shown.index) / W) * 100))}%` }}>
            {labels?.[shown.index] ? `${day(labels[shown.index])}: ` : ""}{format(shown.value)}
          </span>
        </>
      ) : null}
    </div>
  );
}
