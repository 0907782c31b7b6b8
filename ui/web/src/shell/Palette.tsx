import { LogOut, MessageSquareText, Search, SunMoon, type LucideIcon } from "lucide-react";
import { useId, useMemo, useState, type KeyboardEvent } from "react";
import { useNavigate } from "react-router";
import { copilotApi } from "../api/endpoints";
import { useResource } from "../hooks/useResource";
import { toggleTheme } from "../hooks/useTheme";
import { cx } from "../lib/cx";
import { Dialog } from "../ui/Dialog";
import { navItems } from "./navigation";
import { useSession, useSignedIn } from "./state/session";

interface Command { id: string; group: string; label: string; icon: LucideIcon; run: () => void }

function useCommands(open: boolean): Command[] {
  const navigate = useNavigate();
  const { chat } = useSignedIn();
  const { logout } = useSession();
  const starters = useResource(open ? "starters" : null, () => copilotApi.starters());
  return useMemo(() => [
    ...navItems(chat === true).map((item) => ({
      id: `go-${item.id}`, group: "Go to", label: item.label, icon: item.icon,
      run: () => { if (item.external) window.location.assign(item.to); else void navigate(item.to); },
    })),
    ...(starters.data?.items ?? []).map((starter, index) => ({
      id: `ask-${index}`, group: "Ask the copilot", label: starter.label, icon: MessageSquareText,
      run: () => void navigate("/copilot", { state: { ask: starter.text, nonce: Date.now() } }),
    })),
    { id: "theme", group: "Settings", label: "Switch between light and dark", icon: SunMoon, run: toggleTheme },
    { id: "logout", group: "Settings", label: "Log out", icon: LogOut, run: () => void logout() },
  ], [chat, logout, navigate, starters.data]);
}

function PaletteBody({ commands, close }: { commands: Command[]; close: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useId();
  const navigate = useNavigate();
  const found = useMemo(() => {
    const needle = text.trim().toLowerCase();
    const hits = commands.filter((command) => `${command.group} ${command.label}`.toLowerCase().includes(needle));
    if (!needle) return hits;
    const ask: Command = { id: "ask", group: "Ask the copilot", label: `Ask “${text.trim()}”`, icon: MessageSquareText, run: () => void navigate("/copilot", { state: { ask: text.trim(), nonce: Date.now() } }) };
    return [...hits, ask];
  }, [commands, navigate, text]);
  const index = Math.min(at, found.length - 1);
  const pick = (command: Command | undefined) => { if (command) { close(); command.run(); } };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") { event.preventDefault(); setAt((index + 1) % found.length); }
    if (event.key === "ArrowUp") { event.preventDefault(); setAt((index - 1 + found.length) % found.length); }
    if (event.key === "Enter") { event.preventDefault(); pick(found[index]); }
  };
  return (
    <div onKeyDown={onKey}>
      <div className="flex items-center gap-3 border-b border-line px-4">
        <Search size={17} aria-hidden="true" className="text-muted" />
        <input
          data-autofocus role="combobox" aria-label="Search commands" aria-expanded="true" aria-controls={list} aria-activedescendant={found[index] ? `${list}-${found[index].id}` : undefined}
          value={text} onChange={(event) => { setText(event.target.value); setAt(0); }} placeholder="Go to a page, ask the copilot…"
          className="h-12 w-full bg-transparent text-[15px] outline-none placeholder:text-muted" data-testid="palette-input"
        />
      </div>
      <ul id={list} role="listbox" aria-label="Commands" className="max-h-[22rem] overflow-y-auto p-2">
        {found.map((command, row) => (
          <li
            key={command.id} id={`${list}-${command.id}`} role="option" aria-selected={row === index} onMouseMove={() => setAt(row)} onClick={() => pick(command)}
            className={cx("flex items-center gap-3 rounded-lg px-3 py-2 text-sm", row === index && "bg-accent-soft text-accent-ink")}
          >
            <command.icon size={16} aria-hidden="true" className="shrink-0" />
            <span className="min-w-0 truncate">{command.label}</span>
            <span className={cx("ml-auto shrink-0 text-xs", row === index ? "text-accent-ink" : "text-muted")}>{command.group}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  const commands = useCommands(open);
  return <Dialog open={open} onClose={onClose} title="Command palette" bare width="38rem" testId="palette"><PaletteBody commands={commands} close={onClose} /></Dialog>;
}
