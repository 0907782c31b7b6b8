import { Heart, MessageCircle, Repeat2 } from "lucide-react";
import type { ReactNode } from "react";
import type { Figure } from "../../../api/proposals.types";
import { LogoMark } from "../../../shell/Logo";
import { Copy } from "./Copy";

export interface PreviewProps {
  channel: string;
  subject?: string | null | undefined;
  body: string;
  cta?: string | null | undefined;
  url?: string | null | undefined;
  figures?: Figure[] | null | undefined;
  quiet?: boolean;
}

function domain(url: string | null | undefined): string {
  try { return new URL(url ?? "").hostname; } catch { return "demo-bank.example"; }
}

function Cta({ text }: { text: string | null | undefined }) {
  return text ? <span className="mt-4 inline-flex h-9 items-center rounded-lg bg-accent px-4 text-[13px] font-semibold text-on-accent">{text}</span> : null;
}

function Email({ subject, cta, text }: { subject: ReactNode; cta: string | null | undefined; text: ReactNode }) {
  return (
    <div className="overflow-hidden rounded-xl border border-line bg-surface">
      <div className="border-b border-line bg-sunken px-4 py-2.5 text-xs">
        <p><span className="text-muted">From </span><span className="font-medium">Demo Bank</span> <span className="text-muted">&lt;hello@demo-bank.example&gt;</span></p>
        <p className="mt-1 text-[13px] font-semibold">{subject}</p>
      </div>
      <div className="px-4 py-4">
        <div className="mb-3 flex items-center gap-2 text-xs font-semibold"><LogoMark size={20} />Demo Bank</div>
        <div className="text-[13px] leading-6 whitespace-pre-line">{text}</div>
        <Cta text={cta} />
      </div>
    </div>
  );
}

function Phone({ children }: { children: ReactNode }) {
  return (
    <div className="rounded-[22px] border border-line-strong bg-gradient-to-b from-[color-mix(in_srgb,var(--accent)_22%,var(--sunken))] to-sunken p-3 pt-2.5">
      <div aria-hidden="true" className="mx-auto mb-3 h-1.5 w-14 rounded-full bg-line-strong" />
      {children}
    </div>
  );
}

function Push({ subject, text }: { subject: ReactNode; text: ReactNode }) {
  return (
    <Phone>
      <div className="flex gap-3 rounded-2xl bg-surface p-3 shadow-card">
        <LogoMark size={34} />
        <div className="min-w-0 flex-1 text-[13px] leading-5">
          <div className="flex justify-between gap-2 text-[11px] text-muted"><span>DEMO BANK</span><span>now</span></div>
          <p className="font-semibold">{subject}</p>
          <div className="whitespace-pre-line">{text}</div>
        </div>
      </div>
    </Phone>
  );
}

function Sms({ text }: { text: ReactNode }) {
  return (
    <Phone>
      <p className="mb-2 text-center text-[11px] text-muted">Demo Bank · Text message</p>
      <div className="mr-8 rounded-2xl rounded-bl-md bg-surface px-3.5 py-2.5 text-[13px] leading-5 whitespace-pre-line shadow-card">{text}</div>
    </Phone>
  );
}

function InApp({ subject, cta, text }: { subject: ReactNode; cta: string | null | undefined; text: ReactNode }) {
  return (
    <Phone>
      <div className="overflow-hidden rounded-2xl bg-surface shadow-card">
        <div aria-hidden="true" className="flex h-16 items-center justify-center bg-gradient-to-br from-[#5b53ee] to-[#2b8dff]"><LogoMark size={28} /></div>
        <div className="p-4 text-center text-[13px]"><p className="font-semibold">{subject}</p><div className="mt-1 leading-5 whitespace-pre-line">{text}</div><Cta text={cta} /></div>
      </div>
    </Phone>
  );
}

function Social({ url, cta, subject, text }: { url: string | null | undefined; cta: string | null | undefined; subject: ReactNode; text: ReactNode }) {
  return (
    <div className="overflow-hidden rounded-xl border border-line bg-surface">
      <div className="flex items-center gap-2.5 px-4 pt-3.5"><LogoMark size={32} /><div className="text-xs leading-4"><p className="text-[13px] font-semibold">Demo Bank</p><p className="text-muted">Sponsored</p></div></div>
      <div className="px-4 py-3 text-[13px] leading-5 whitespace-pre-line">{text}</div>
      <div className="flex items-center justify-between gap-3 border-y border-line bg-sunken px-4 py-2.5"><div className="min-w-0 text-xs"><p className="text-muted uppercase">{domain(url)}</p><p className="truncate text-[13px] font-semibold">{subject}</p></div>{cta ? <span className="shrink-0 rounded-md border border-line-strong bg-surface px-2.5 py-1 text-xs font-semibold">{cta}</span> : null}</div>
      <div aria-hidden="true" className="flex gap-8 px-4 py-2 text-muted"><Heart size={15} /><MessageCircle size={15} /><Repeat2 size={15} /></div>
    </div>
  );
}

/** The message as the channel shows it. */
export function Preview({ channel, subject, body, cta, url, figures, quiet = false }: PreviewProps) {
  const text = <Copy text={body} figures={figures} quiet={quiet} />;
  const head = subject ? <Copy text={subject} figures={figures} quiet={quiet} /> : null;
  switch (channel) {
    case "email": return <Email subject={head} cta={cta} text={text} />;
    case "push": return <Push subject={head} text={text} />;
    case "sms": return <Sms text={text} />;
    case "in_app": return <InApp subject={head} cta={cta} text={text} />;
    default: return <Social url={url} cta={cta} subject={head ?? cta} text={text} />;
  }
}
