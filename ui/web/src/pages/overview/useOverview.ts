import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";
import { overviewApi } from "../../api/endpoints";
import type { Overview, OverviewQuery } from "../../api/overview.types";
import { useResource, type Resource } from "../../hooks/useResource";
import { setCurrency } from "../../lib/format";
import { useStream } from "../../shell/state/stream";

export const DAYS = [7, 14, 30, 90] as const;

/** The filters live in the URL, so that a view can be shared and the back button works. */
export function useOverviewQuery(): [OverviewQuery, (change: Partial<OverviewQuery>) => void] {
  const [params, setParams] = useSearchParams();
  const query = useMemo<OverviewQuery>(() => {
    const days = Number(params.get("days"));
    return {
      days: DAYS.find((d) => d === days) ?? 14,
      offer: params.get("offer") ?? "", channel: params.get("channel") ?? "", segment: params.get("segment") ?? "",
      raw: params.get("raw") === "1", snapshot: /^\d+$/.test(params.get("snapshot") ?? "") ? (params.get("snapshot") ?? "") : "",
    };
  }, [params]);
  const change = useCallback((part: Partial<OverviewQuery>) => {
    setParams((old) => {
      const next = new URLSearchParams(old);
      for (const [key, value] of Object.entries(part)) {
        if (value === "" || value === false || (key === "days" && value === 14)) next.delete(key);
        else next.set(key, value === true ? "1" : String(value));
      }
      return next;
    });
  }, [setParams]);
  return [query, change];
}

export function useOverview(query: OverviewQuery): Resource<Overview> {
  const resource = useResource(JSON.stringify(query), async (signal) => {
    const page = await overviewApi.get(query, signal);
    setCurrency(page.currency);
    return page;
  });
  // with the ingester's two seconds and the reading itself an event is on the page within five
  useStream(["overview", "reconnect"], resource.reload, 1500);
  return resource;
}
