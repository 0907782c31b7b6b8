import { BadgeCheck, BookOpen, Cpu, FileSearch, Sparkles, type LucideIcon } from "lucide-react";
import type { Message, Trust } from "../../../api/copilot.types";
import type { Proposal } from "../../../api/proposals.types";
import { Chip, type Tone } from "../../../ui/Chip";
import { AnswerChart } from "./AnswerChart";
import { AnswerTable } from "./AnswerTable";
import { AnswerText } from "./AnswerText";
import { Feedback } from "./Feedback";
import { HowAnswered } from "./HowAnswered";
import { ProposalCard } from "./ProposalCard";
import { Steps } from "./Steps";

const TRUST: Record<Exclude<Trust, "none">, [Tone, LucideIcon, string, string]> = {
  verified: ["good", BadgeCheck, "Verified", "Matches a question that was reviewed; every figure is a cell of its result."],
  parsed: ["accent", FileSearch, "Parsed", "The question was read by grammar; every figure is a cell of the result."],
  "model-assisted": ["warn", Sparkles, "Model-assisted", "A language model helped to read the question; every figure is still a cell of the result."],
};

function Tags({ message }: { message: Message }) {
  const trust = message.trust && message.trust !== "none" ? TRUST[message.trust] : undefined;
  const Icon = trust?.[1];
  return (
    <div className="flex flex-wrap items-center gap-1.5">
      {trust && Icon ? <Chip tone={trust[0]} title={trust[3]}><Icon size={12} aria-hidden="true" /><span data-testid="trust">{trust[2]}</span></Chip> : null}
      {message.declined ? <Chip>Outside what I do</Chip> : null}
      {message.model ? <Chip title="The model that read the question and wrote the text"><Cpu size={12} aria-hidden="true" />{message.model === "embedded" ? "Embedded language model" : message.model}</Chip> : null}
    </div>
  );
}

function Choices({ message, onAsk, disabled }: { message: Message; onAsk: (text: string) => void; disabled: boolean }) {
  const ask = message.clarification;
  if (!ask) return null;
  return (
    <div data-testid="clarification">
      {ask.question && ask.question !== message.text ? <p className="mb-2 text-[15px] font-medium">{ask.question}</p> : null}
      <div className="flex flex-wrap gap-2">
        {ask.choices.map((choice) => <button key={choice} type="button" disabled={disabled} onClick={() => onAsk(choice)} className="rounded-full border border-line-strong bg-surface px-3.5 py-1.5 text-[13px] font-medium shadow-card transition-colors hover:border-accent hover:bg-accent-soft hover:text-accent-ink disabled:text-muted" data-testid="choice">{choice}</button>)}
      </div>
    </div>
  );
}

export interface AnswerProps { message: Message; proposals: Record<string, Proposal>; last: boolean; busy: boolean; onAsk: (text: string) => void; onSources: () => void }

export function Answer({ message, proposals, last, busy, onAsk, onSources }: AnswerProps) {
  const sources = message.citations?.length ?? 0;
  return (
    <article aria-label="Answer" className="animate-rise space-y-3.5" data-testid="answer" data-route={message.route ?? undefined}>
      <Steps steps={message.steps ?? []} />
      {message.text ? <AnswerText text={message.text} facts={message.facts ?? []} /> : null}
      <Choices message={message} onAsk={onAsk} disabled={busy || !last} />
      {message.chart ? <AnswerChart chart={message.chart} /> : null}
      {message.table?.rows.length ? <AnswerTable table={message.table} name={message.chart?.title ?? "result"} /> : null}
      <HowAnswered message={message} />
      {message.proposal_id ? <ProposalCard id={message.proposal_id} known={proposals[message.proposal_id]} /> : null}
      <div className="flex flex-wrap items-start justify-between gap-2">
        <div className="flex flex-wrap items-center gap-1.5"><Tags message={message} />{sources ? <button type="button" onClick={onSources} data-testid="sources" className="inline-flex items-center gap-1 rounded-full border border-line-strong px-2 py-0.5 text-xs font-medium text-muted hover:bg-sunken hover:text-ink"><BookOpen size={12} aria-hidden="true" />{sources} source{sources > 1 ? "s" : ""}</button> : null}</div>
        <Feedback message={message} />
      </div>
    </article>
  );
}
