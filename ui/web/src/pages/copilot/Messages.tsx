import { CircleStop } from "lucide-react";
import { useEffect, useRef } from "react";
import { Banner, ErrorState } from "../../ui/Feedback";
import { Answer } from "./answer/Answer";
import { ProposalCard } from "./answer/ProposalCard";
import { Steps } from "./answer/Steps";
import type { Conversation } from "./useConversation";

export interface MessagesProps { state: Conversation; onAsk: (text: string) => void; onSources: (messageId: string) => void; onRetry: () => void }

function Thinking() {
  return <p role="status" className="flex items-center gap-2 text-[13px] text-muted"><span aria-hidden="true" className="flex gap-1">{[0, 1, 2].map((n) => <i key={n} className="size-1.5 animate-pulse rounded-full bg-accent" style={{ animationDelay: `${n * 160}ms` }} />)}</span>The team is reading your question</p>;
}

export function Messages({ state, onAsk, onSources, onRetry }: MessagesProps) {
  const end = useRef<HTMLDivElement>(null);
  const last = state.messages.at(-1);
  const mark = `${state.messages.length}:${state.live.length}:${state.loose.length}:${state.streaming}`;
  useEffect(() => {
    // Chromium 156 returns a promise here: it must not become the effect's clean-up.
    void end.current?.scrollIntoView({ block: "end" });
  }, [mark]);
  return (
    <div className="mx-auto w-full max-w-[46rem] space-y-6 px-4 py-6 sm:px-6" role="log" aria-label="Conversation" aria-busy={state.streaming}>
      {state.messages.map((message) => message.role === "user" ? (
        <div key={message.id} className="flex justify-end"><p className="max-w-[85%] rounded-2xl rounded-br-md bg-accent-soft px-4 py-2.5 text-[15px] leading-6 whitespace-pre-line" data-testid="question">{message.text}</p></div>
      ) : (
        <Answer key={message.id} message={message} proposals={state.proposals} last={message === last} busy={state.streaming} onAsk={onAsk} onSources={() => onSources(message.id)} />
      ))}
      {state.live.length > 0 ? <Steps steps={state.live} live /> : state.streaming && last?.role === "user" ? <Thinking /> : null}
      {state.loose.map((id) => <ProposalCard key={id} id={id} known={state.proposals[id]} />)}
      {state.stopped ? <Banner className="w-fit"><CircleStop size={15} aria-hidden="true" className="mt-0.5" />You stopped this answer.</Banner> : null}
      {state.error ? <div className="rounded-xl border border-bad-line"><ErrorState error={new Error(state.error)} retry={onRetry} className="py-6" /></div> : null}
      <div ref={end} className="h-px" />
    </div>
  );
}
