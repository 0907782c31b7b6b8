import { History } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { useLocation, useNavigate, useParams } from "react-router";
import { messageOf } from "../../api/client";
import type { ThreadSummary } from "../../api/copilot.types";
import { copilotApi } from "../../api/endpoints";
import { useHotkeys } from "../../hooks/useHotkeys";
import { useMedia } from "../../hooks/useMedia";
import { useTitle } from "../../hooks/useNow";
import { useResource } from "../../hooks/useResource";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { ErrorState, Skeleton } from "../../ui/Feedback";
import { useToast } from "../../ui/Toast";
import { Composer } from "./Composer";
import { Messages } from "./Messages";
import { SourceList, SourcesPane } from "./Sources";
import { Starters } from "./Starters";
import { ThreadList } from "./ThreadList";
import { useConversation } from "./useConversation";

function useThreads() {
  const resource = useResource("threads", () => copilotApi.threads());
  const data = resource.data;
  const items: ThreadSummary[] = data === null ? [] : Array.isArray(data) ? data : (data.items ?? []);
  return { ...resource, items };
}

/** Sends a question; the first one of a conversation makes its thread. */
function useAsk(id: string | undefined, control: ReturnType<typeof useConversation>, refresh: () => void) {
  const navigate = useNavigate();
  const notify = useToast();
  const { ask, adopt } = control;
  return useCallback(async (text: string) => {
    try {
      let thread = id;
      if (!thread) {
        thread = (await copilotApi.create()).id;
        adopt(thread);
        void navigate(`/copilot/${thread}`, { replace: true });
      }
      await ask(thread, text);
      refresh();
    } catch (error) {
      notify(messageOf(error), "bad");
    }
  }, [adopt, ask, id, navigate, notify, refresh]);
}

export function CopilotPage() {
  const { id } = useParams();
  const navigate = useNavigate();
  const location = useLocation();
  const notify = useToast();
  const wide = useMedia("(min-width: 1100px)");
  const roomy = useMedia("(min-width: 1360px)");
  const threads = useThreads();
  const control = useConversation(id);
  const { state } = control;
  const send = useAsk(id, control, threads.reload);
  const [drawer, setDrawer] = useState(false);
  const [sources, setSources] = useState<string | null>(null);
  const title = threads.items.find((thread) => thread.id === id)?.title;
  useTitle(title ? `${title} · Copilot` : "Copilot");
  useHotkeys({ "/": () => document.querySelector<HTMLElement>("[data-testid=composer]")?.focus() });
  useEffect(() => { setSources(null); setDrawer(false); }, [id]);

  // A question handed over by another page is asked once, then forgotten so that a reload does not repeat it.
  const handed = (location.state as { ask?: string } | null)?.ask;
  const asked = useRef<string | null>(null);
  useEffect(() => {
    if (!handed || id || asked.current === location.key) return;
    asked.current = location.key;
    void navigate(location.pathname, { replace: true, state: null });
    void send(handed);
  }, [handed, id, location.key, location.pathname, navigate, send]);

  const remove = (thread: string) => {
    copilotApi.remove(thread).then(() => { threads.reload(); if (thread === id) void navigate("/copilot"); }, (error: unknown) => notify(messageOf(error), "bad"));
  };
  const list = (
    <ThreadList threads={threads.items} loading={threads.loading} error={threads.error} active={id} onRetry={threads.reload} onDelete={remove} onPick={() => setDrawer(false)}
      onNew={() => { setDrawer(false); void navigate("/copilot"); }} />
  );
  const citations = state.messages.find((message) => message.id === sources)?.citations ?? [];
  const empty = !state.loading && !state.loadError && state.messages.length === 0 && state.loose.length === 0;
  const lastQuestion = state.messages.findLast((message) => message.role === "user")?.text;

  return (
    <div className="flex h-full">
      {wide ? <aside aria-label="Conversations" className="w-60 shrink-0 border-r border-line">{list}</aside> : null}
      <div className="flex min-w-0 flex-1 flex-col">
        <h1 className="sr-only">Copilot</h1>
        {wide ? null : <div className="flex shrink-0 items-center gap-2 border-b border-line bg-surface px-3 py-1.5"><Button size="sm" kind="ghost" onClick={() => setDrawer(true)} data-testid="threads-open"><History size={15} aria-hidden="true" />Conversations</Button><span className="min-w-0 truncate text-[13px] text-muted">{title ?? ""}</span></div>}
        <div className="relative min-h-0 flex-1 overflow-y-auto" tabIndex={-1}>
          {state.loading ? <div className="mx-auto max-w-[46rem] space-y-4 px-6 py-8" role="status" aria-label="Loading the conversation"><Skeleton className="ml-auto h-10 w-72 rounded-2xl" /><Skeleton className="h-24 rounded-xl" /><Skeleton className="h-64 rounded-xl" /></div>
            : state.loadError ? <ErrorState error={state.loadError} retry={control.reload} className="py-24" />
              : empty ? <Starters onAsk={(text) => void send(text)} />
                : <Messages state={state} onAsk={(text) => void send(text)} onSources={(message) => setSources((old) => (old === message ? null : message))} onRetry={() => { if (lastQuestion) void send(lastQuestion); }} />}
        </div>
        <Composer busy={state.streaming} onSend={(text) => void send(text)} onStop={control.stop} focusKey={id ?? "new"} />
      </div>
      {sources && roomy ? <SourcesPane items={citations} onClose={() => setSources(null)} /> : null}
      <Dialog open={sources !== null && !roomy} onClose={() => setSources(null)} title="Sources" side="right" width="26rem"><SourceList items={citations} /></Dialog>
      <Dialog open={drawer && !wide} onClose={() => setDrawer(false)} title="Conversations" side="left" width="19rem">{list}</Dialog>
    </div>
  );
}
