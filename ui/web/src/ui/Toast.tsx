import { CircleAlert, CircleCheck, X } from "lucide-react";
import { createContext, useCallback, useContext, useMemo, useRef, useState, type ReactNode } from "react";

interface ToastItem { id: number; text: string; tone: "good" | "bad" }
type Notify = (text: string, tone?: "good" | "bad") => void;

const ToastContext = createContext<Notify>(() => undefined);
export const useToast = (): Notify => useContext(ToastContext);

export function ToastProvider({ children }: { children: ReactNode }) {
  const [items, setItems] = useState<ToastItem[]>([]);
  const next = useRef(1);
  const remove = useCallback((id: number) => setItems((old) => old.filter((item) => item.id !== id)), []);
  const notify = useCallback<Notify>((text, tone = "good") => {
    const id = next.current++;
    setItems((old) => [...old.slice(-2), { id, text, tone }]);
    window.setTimeout(() => remove(id), tone === "bad" ? 9000 : 5000);
  }, [remove]);
  const value = useMemo(() => notify, [notify]);
  return (
    <ToastContext value={value}>
      {children}
      <div role="status" aria-live="polite" className="pointer-events-none fixed inset-x-0 bottom-20 z-50 flex flex-col items-center gap-2 px-4 md:bottom-6">
        {items.map((item) => (
          <div key={item.id} className="pointer-events-auto flex max-w-lg animate-rise items-start gap-2.5 rounded-xl border border-line bg-raised px-4 py-2.5 text-[13px] shadow-pop">
            {item.tone === "good" ? <CircleCheck size={17} className="mt-px shrink-0 text-good" aria-hidden="true" /> : <CircleAlert size={17} className="mt-px shrink-0 text-bad" aria-hidden="true" />}
            <span>{item.text}</span>
            <button type="button" aria-label="Dismiss" onClick={() => remove(item.id)} className="-mr-1 text-muted hover:text-ink"><X size={15} aria-hidden="true" /></button>
          </div>
        ))}
      </div>
    </ToastContext>
  );
}
