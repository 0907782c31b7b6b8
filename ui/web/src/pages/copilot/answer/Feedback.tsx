import { ThumbsDown, ThumbsUp } from "lucide-react";
import { useState, type FormEvent } from "react";
import { messageOf } from "../../../api/client";
import { copilotApi } from "../../../api/endpoints";
import type { Message } from "../../../api/copilot.types";
import { cx } from "../../../lib/cx";
import { Button } from "../../../ui/Button";
import { inputClass } from "../../../ui/Fields";
import { CopyButton } from "../../../ui/Sql";
import { useToast } from "../../../ui/Toast";

/** Copy, thumbs up or down; the comment is asked after the score has been kept. */
export function Feedback({ message }: { message: Message }) {
  const [score, setScore] = useState<1 | -1 | null>(null);
  const [comment, setComment] = useState<string | null>(null);
  const notify = useToast();
  const send = (value: 1 | -1, text: string) =>
    copilotApi.feedback(message.id, value, text).then(() => true, (error: unknown) => { notify(messageOf(error), "bad"); return false; });
  const rate = (value: 1 | -1) => { setScore(value); setComment(""); void send(value, ""); };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (score === null) return;
    void send(score, comment ?? "").then((ok) => { if (ok) { setComment(null); notify("Thank you, the comment was kept."); } });
  };
  const thumb = (value: 1 | -1, label: string, Icon: typeof ThumbsUp) => (
    <button type="button" aria-label={label} title={label} aria-pressed={score === value} onClick={() => rate(value)} className={cx("inline-flex size-7 items-center justify-center rounded-md hover:bg-sunken", score === value ? "text-accent-ink" : "text-muted hover:text-ink")}>
      <Icon size={14} aria-hidden="true" fill={score === value ? "currentColor" : "none"} />
    </button>
  );
  return (
    <div>
      <div className="flex items-center gap-0.5"><CopyButton text={message.text} label="Copy the answer" />{thumb(1, "Good answer", ThumbsUp)}{thumb(-1, "Bad answer", ThumbsDown)}</div>
      {comment !== null ? (
        <form onSubmit={submit} className="mt-2 flex max-w-lg gap-2">
          <input aria-label="Comment on the answer" className={cx(inputClass, "h-8 py-1 text-[13px]")} placeholder="What was good or missing? (optional)" value={comment} onChange={(e) => setComment(e.target.value)} />
          <Button type="submit" size="sm" className="h-8" disabled={!comment.trim()}>Send</Button>
          <Button size="sm" kind="ghost" className="h-8" onClick={() => setComment(null)}>Skip</Button>
        </form>
      ) : null}
    </div>
  );
}
