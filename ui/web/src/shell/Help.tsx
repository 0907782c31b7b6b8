import { Dialog } from "../ui/Dialog";
import { Kbd } from "../ui/Chip";

const GROUPS: { title: string; keys: [string[], string][] }[] = [
  { title: "Anywhere", keys: [[["Ctrl", "K"], "Open the command palette"], [["?"], "Show this help"], [["g", "o"], "Go to Overview"], [["g", "c"], "Go to Copilot"], [["g", "q"], "Go to Approvals"], [["g", "d"], "Go to Data"], [["t"], "Switch light and dark"]] },
  { title: "Approvals", keys: [[["j"], "Next proposal"], [["k"], "Previous proposal"], [["a"], "Approve (asks once more)"], [["e"], "Edit the copy"], [["x"], "Reject with a reason"]] },
  { title: "Copilot", keys: [[["Enter"], "Send"], [["Shift", "Enter"], "New line"], [["/"], "Write a question"], [["Esc"], "Stop the answer"]] },
];

export function Help({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard shortcuts" width="40rem" testId="help">
      <div className="grid gap-6 sm:grid-cols-2">
        {GROUPS.map((group) => (
          <section key={group.title}>
            <h3 className="mb-2 text-xs font-semibold text-muted">{group.title}</h3>
            <dl className="space-y-1.5">
              {group.keys.map(([keys, text]) => (
                <div key={text} className="flex items-center justify-between gap-3 text-[13px]">
                  <dt>{text}</dt>
                  <dd className="flex gap-1">{keys.map((key) => <Kbd key={key}>{key}</Kbd>)}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
