import { ArrowUp, Square } from "lucide-react";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";

export interface ComposerProps { busy: boolean; onSend: (text: string) => void; onStop: () => void; focusKey: string }

export function Composer({ busy, onSend, onStop, focusKey }: ComposerProps) {
  const [text, setText] = useState("");
  const area = useRef<HTMLTextAreaElement>(null);

  useEffect(() => { if (window.matchMedia("(pointer: fine)").matches) area.current?.focus({ preventScroll: true }); }, [focusKey]);
  useEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, 180)}px`;
  }, [text]);

  const submit = () => {
    const clean = text.trim();
    if (!clean || busy) return;
    onSend(clean);
    setText("");
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) { event.preventDefault(); submit(); }
    if (event.key === "Escape" && busy) { event.preventDefault(); onStop(); }
  };
  return (
    <form onSubmit={(event) => { event.preventDefault(); submit(); }} className="mx-auto w-full max-w-[46rem] px-4 pb-3 sm:px-6">
      <div className="flex items-end gap-2 rounded-2xl border border-line-strong bg-surface p-1.5 pl-4 shadow-pop transition-colors focus-within:border-accent">
        <textarea
          ref={area} rows={1} value={text} onChange={(e) => setText(e.target.value)} onKeyDown={onKey} aria-label="Your question or request" data-testid="composer"
          placeholder="Ask, or request an action…" className="max-h-[180px] min-h-9 flex-1 resize-none bg-transparent py-2 text-[15px] leading-6 outline-none placeholder:text-muted"
        />
        {busy ? (
          <button type="button" onClick={onStop} aria-label="Stop the answer" title="Stop" data-testid="stop" className="flex size-9 shrink-0 items-center justify-center rounded-full bg-ink text-page"><Square size={13} fill="currentColor" aria-hidden="true" /></button>
        ) : (
          <button type="submit" disabled={!text.trim()} aria-label="Send" title="Send" data-testid="send" className="flex size-9 shrink-0 items-center justify-center rounded-full bg-accent text-on-accent transition-opacity hover:bg-accent-strong disabled:opacity-45"><ArrowUp size={18} aria-hidden="true" /></button>
        )}
      </div>
      <p className="mt-2 hidden text-center text-xs text-muted sm:block">Every figure is a cell of a result you can open. Nothing is sent before somebody approves it.</p>
    </form>
  );
}
