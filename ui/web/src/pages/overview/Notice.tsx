import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

export interface NoticeProps { icon: LucideIcon; text: ReactNode; action: string; onAction: () => void; testId: string }

/** One line above the figures that changes how they are read. */
export function Notice({ icon: Icon, text, action, onAction, testId }: NoticeProps) {
  return (
    <div role="status" data-testid={testId} className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded-lg border border-warn-line bg-warn-soft px-3 py-2 text-[13px] text-warn">
      <Icon size={15} aria-hidden="true" className="shrink-0" />
      <p className="min-w-0 flex-1">{text}</p>
      <button type="button" onClick={onAction} className="font-medium underline underline-offset-2">{action}</button>
    </div>
  );
}
