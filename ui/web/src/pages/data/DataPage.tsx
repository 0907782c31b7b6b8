import { useEffect } from "react";
import { useSearchParams } from "react-router";
import { dataApi } from "../../api/data";
import type { DataHealth } from "../../api/data.types";
import { useTitle } from "../../hooks/useNow";
import { useResource } from "../../hooks/useResource";
import { useSignedIn } from "../../shell/state/session";
import { useStream } from "../../shell/state/stream";
import { Tabs } from "../../ui/Tabs";
import { ErrorState, Skeleton } from "../../ui/Feedback";
import { Conflicts } from "./Conflicts";
import { DeadLetters } from "./DeadLetters";
import { Schemas } from "./Schemas";
import { Sources } from "./Sources";
import { Tables } from "./Tables";

type Tab = "sources" | "letters" | "identity" | "schemas";
const TABS: Tab[] = ["sources", "letters", "identity", "schemas"];

/** Refused records show personal data: only those who may mend them see them. */
function tabsOf(health: DataHealth | null, mends: boolean) {
  return [
    { id: "sources", label: "Sources and tables" },
    ...(mends ? [{ id: "letters", label: "Dead letters", count: health?.dead_letters.open }] : []),
    { id: "identity", label: "Identity review", count: health?.conflicts.open },
    { id: "schemas", label: "Schemas" },
  ];
}

function Overview({ health }: { health: DataHealth }) {
  return <div className="space-y-4"><Sources sources={health.sources} now={health.now} /><Tables tables={health.tables} /></div>;
}

/** Where the data comes from, how fresh it is, and what was refused. */
export function DataPage() {
  const [params, setParams] = useSearchParams();
  const { user } = useSignedIn();
  const mends = user.role === "manager" || user.role === "admin";
  const wanted = TABS.find((one) => one === params.get("tab")) ?? "sources";
  const tab = wanted === "letters" && !mends ? "sources" : wanted;
  const health = useResource("data", (signal) => dataApi.health(signal));
  useStream(["overview", "reconnect"], health.reload, 2500);
  useEffect(() => {
    const timer = window.setInterval(health.reload, 5_000);
    return () => window.clearInterval(timer);
  }, [health.reload]);
  useTitle("Data");
  const choose = (next: string) => setParams(next === "sources" ? {} : { tab: next });

  return (
    <div className="mx-auto max-w-[1360px] space-y-4 px-4 py-5 sm:px-6">
      <div>
        <h1 className="text-[22px] leading-8 font-semibold tracking-[-0.02em]">Data</h1>
        <p className="text-sm text-muted">Sources and their lag, freshness of every table, and the records that were refused.</p>
      </div>
      <Tabs label="Data" tabs={tabsOf(health.data, mends)} active={tab} onChange={choose} />
      {health.loading ? <Skeleton className="h-72 rounded-xl" />
        : !health.data ? <ErrorState error={health.error} retry={health.reload} className="py-24" />
        : tab === "letters" ? <DeadLetters sources={health.data.sources} changed={health.reload} />
        : tab === "identity" ? <Conflicts changed={health.reload} />
        : tab === "schemas" ? <Schemas />
        : <Overview health={health.data} />}
    </div>
  );
}
