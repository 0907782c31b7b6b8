import { X } from "lucide-react";
import { useEffect, useId, useRef, type ReactNode } from "react";
import { cx } from "../lib/cx";
import { IconButton } from "./Button";

export interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  note?: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
  /** "center" is a dialog, "right"/"left" a drawer. */
  side?: "center" | "right" | "left";
  width?: string;
  bare?: boolean;
  testId?: string;
}

const shape = {
  center: "m-auto max-h-[min(46rem,calc(100dvh-2rem))] rounded-2xl animate-rise",
  right: "my-0 mr-0 ml-auto h-dvh max-h-none rounded-l-2xl animate-slide-in",
  left: "my-0 ml-0 mr-auto h-dvh max-h-none rounded-r-2xl animate-slide-in-left",
};

/** Native modal dialog: focus is trapped and given back, Escape closes. Its body exists only while open. */
export function Dialog({ open, onClose, title, note, children, footer, side = "center", width = "32rem", bare = false, testId }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const heading = useId();

  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    if (open && !dialog.open) {
      dialog.showModal();
      dialog.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    }
    if (!open && dialog.open) dialog.close();
  }, [open]);

  return (
    <dialog
      ref={ref} aria-labelledby={heading} data-testid={testId}
      onClose={onClose}
      onClick={(event) => { if (event.target === ref.current) ref.current?.close(); }}
      style={{ width: `min(${width}, 100vw)` }}
      className={cx("max-w-[100vw] overflow-hidden border border-line bg-raised p-0 shadow-pop", open && "flex flex-col", shape[side])}
    >
      {open ? (
        <>
          <header className={bare ? "sr-only" : "flex items-start justify-between gap-3 border-b border-line px-5 py-4"}>
            <div className="min-w-0">
              <h2 id={heading} className="text-base font-semibold">{title}</h2>
              {note ? <div className="mt-0.5 text-[13px] text-muted">{note}</div> : null}
            </div>
            {bare ? null : <IconButton label="Close" className="-mr-2" onClick={() => ref.current?.close()}><X size={18} aria-hidden="true" /></IconButton>}
          </header>
          <div tabIndex={bare ? undefined : 0} className={cx("relative min-h-0 flex-1 overflow-y-auto outline-offset-[-2px]", bare ? "" : "px-5 py-4")}>{children}</div>
          {footer ? <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-5 py-3">{footer}</footer> : null}
        </>
      ) : null}
    </dialog>
  );
}
