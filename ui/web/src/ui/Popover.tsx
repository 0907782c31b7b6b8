import { useCallback, useEffect, useId, useRef, useState, type ReactNode } from "react";
import { cx } from "../lib/cx";

export interface PopoverProps {
  label: string;
  trigger: ReactNode;
  children: ReactNode | ((close: () => void) => ReactNode);
  className?: string;
  triggerClass?: string;
  testId?: string;
  align?: "start" | "end";
}

function place(panel: HTMLElement, anchor: HTMLElement, align: "start" | "end"): void {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const wanted = align === "end" ? box.right - width : box.left;
  const left = Math.min(Math.max(8, wanted), Math.max(8, window.innerWidth - width - 8));
  const below = box.bottom + 6;
  const top = below + height > window.innerHeight - 8 && box.top - height - 6 > 8 ? box.top - height - 6 : below;
  panel.style.left = `${left}px`;
  panel.style.top = `${Math.max(8, top)}px`;
}

/** A button with a floating panel: the native popover gives Escape, outside click and the top layer. */
export function Popover({ label, trigger, children, className, triggerClass, testId, align = "start" }: PopoverProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const close = useCallback(() => panel.current?.hidePopover(), []);

  useEffect(() => {
    const element = panel.current;
    if (!element) return;
    const onToggle = (event: Event) => setOpen((event as ToggleEvent).newState === "open");
    element.addEventListener("toggle", onToggle);
    return () => element.removeEventListener("toggle", onToggle);
  }, []);

  useEffect(() => {
    if (!open || !panel.current || !button.current) return;
    place(panel.current, button.current, align);
    const onScroll = (event: Event) => {
      if (!(event.target instanceof Node) || !panel.current?.contains(event.target)) close();
    };
    window.addEventListener("scroll", onScroll, { capture: true, passive: true });
    return () => window.removeEventListener("scroll", onScroll, { capture: true });
  }, [open, align, close]);

  return (
    <>
      <button ref={button} type="button" popoverTarget={id} aria-label={label} aria-haspopup="dialog" aria-expanded={open} data-testid={testId} className={triggerClass}>
        {trigger}
      </button>
      <div
        ref={panel} id={id} popover="auto" role="dialog" aria-label={label}
        className={cx("fixed m-0 max-w-[min(26rem,calc(100vw-16px))] rounded-xl border border-line bg-raised p-4 text-[13px] text-ink shadow-pop", open && "animate-rise", className)}
      >
        {open ? (typeof children === "function" ? children(close) : children) : null}
      </div>
    </>
  );
}
