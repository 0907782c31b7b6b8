import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { cx } from "../lib/cx";

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false);
  const copy = () => {
    navigator.clipboard.writeText(text).then(() => {
      setDone(true);
      window.setTimeout(() => setDone(false), 1500);
    }, () => undefined);
  };
  return (
    <button type="button" aria-label={done ? "Copied" : label} title={label} onClick={copy} className="inline-flex size-7 items-center justify-center rounded-md text-muted hover:bg-sunken hover:text-ink">
      {done ? <Check size={14} className="text-good" aria-hidden="true" /> : <Copy size={14} aria-hidden="true" />}
    </button>
  );
}

/** A query as text, scrollable and copyable. */
export function Sql({ text, className }: { text: string; className?: string }) {
  return (
    <div className={cx("relative rounded-lg border border-line bg-sunken", className)}>
      <div className="absolute top-1 right-1"><CopyButton text={text} label="Copy the query" /></div>
      <pre tabIndex={0} aria-label="Query" className="max-h-44 overflow-auto p-3 pr-9 font-mono text-[11.5px] leading-5 break-words whitespace-pre-wrap">{text}</pre>
    </div>
  );
}
