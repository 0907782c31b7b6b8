// The approval card. Chainlit gives `props` and `callAction`; the server decides, this only asks it.
import { useState } from "react";
import { Check, X, Pencil, TriangleAlert, Info } from "lucide-react";

const STATUS = {
  pending: ["Awaiting approval", "warn"],
  approved: ["Approved", "good"],
  rejected: ["Rejected", "bad"],
  expired: ["Expired", "plain"],
  decided: ["Decided", "plain"],
};

function time(iso) {
  const at = iso ? new Date(iso) : null;
  if (!at || Number.isNaN(at.getTime())) return "";
  return at.toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

const name = (who) => (who && typeof who === "object" ? who.name : who) || "somebody";

// Money as people write it, whatever the server's spelling; figures in place of references.
const money = (text) => (typeof text === "string" ? text.replace(/^([-−+]?)EUR\s?/, "$1€") : text);

function Facts({ proposal }) {
  const audience = proposal.audience || {};
  const facts = [
    ["Audience", audience.count != null ? Number(audience.count).toLocaleString("en-GB") : null],
    ["Uplift", proposal.uplift && proposal.uplift.display],
    ["Expected value", money(proposal.expected_value && proposal.expected_value.display)],
    ["Risk", proposal.risk && proposal.risk[0].toUpperCase() + proposal.risk.slice(1)],
  ].filter(([, value]) => value);
  if (!facts.length) return null;
  return (
    <dl className="sr-facts">
      {facts.map(([label, value]) => (
        <div key={label}><dt>{label}</dt><dd>{value}</dd></div>
      ))}
    </dl>
  );
}

function Variant({ variant }) {
  const read = { ...variant, ...(variant.preview || {}) };
  const said = {};
  (variant.figures || []).forEach((one) => { said[`{term:${one.term_id}@${one.version}}`] = one.text; });
  const diff = (variant.diff || []).filter((part) => part.text)
    .map((part) => ({ ...part, text: part.text.replace(/\{term:[^{}]*\}/g, (reference) => said[reference] || reference) }));
  const changed = diff.some((part) => part.op !== "equal");
  // After an edit the server's comparison holds subject and call to action as well.
  const now = diff.filter((part) => part.op !== "delete").map((part) => part.text).join("");
  const whole = changed && !!read.subject && now.startsWith(read.subject);
  return (
    <div className="sr-copy">
      <p className="sr-copy-head">Variant {variant.label}{variant.tone ? ` · ${variant.tone}` : ""}</p>
      {read.subject && !whole ? <p className="sr-subject">{read.subject}</p> : null}
      <p>
        {changed
          ? diff.map((part, index) =>
              part.op === "delete" ? <del key={index}>{part.text}</del>
              : part.op === "insert" ? <ins key={index}>{part.text}</ins>
              : <span key={index}>{part.text}</span>)
          : read.body}
      </p>
      {read.cta && !whole ? <p className="sr-cta">{read.cta}</p> : null}
    </div>
  );
}

function Checks({ checks }) {
  if (!checks || !checks.length) return null;
  return (
    <ul className="sr-checks" aria-label="Checks">
      {checks.map((check) => (
        <li key={check.id} className={`sr-chip sr-${check.status === "pass" ? "plain" : check.status === "warn" ? "warn" : "bad"}`}
            title={check.detail || ""}>
          {check.status === "pass" ? <Check size={13} aria-label="passed" />
            : <TriangleAlert size={13} aria-label={check.status === "warn" ? "warning" : "failed"} />}
          {check.label}
        </li>
      ))}
    </ul>
  );
}

export default function ReachApproval() {
  const proposal = props.proposal || {};
  const [busy, setBusy] = useState("");
  const [rejecting, setRejecting] = useState(false);
  const [reason, setReason] = useState("");
  const [notice, setNotice] = useState(props.notice || "");
  const [over, setOver] = useState(false);
  const pending = proposal.status === "pending";
  const [label, tone] = STATUS[proposal.status] || [proposal.status, "plain"];
  const where = [proposal.id, proposal.channel && proposal.channel.label, proposal.window && proposal.window.label]
    .filter(Boolean).join(" · ");

  async function decide(decision) {
    setBusy(decision);
    setNotice("");
    try {
      const { response } = await callAction({
        name: props.action,
        payload: { proposal_id: proposal.id, decision, reason: reason.trim(), payload_hash: proposal.payload_hash },
      });
      if (!response.ok) {
        setNotice([response.message, response.hint].filter(Boolean).join(" "));
        setOver(response.code === "conflict");
      }
    } catch (error) {
      setNotice("The decision did not reach the server. Nothing has changed; please try again.");
    }
    setBusy("");
  }

  return (
    <section className="sr-card" aria-label={`Proposal ${proposal.id}`} data-proposal={proposal.id} data-status={proposal.status}>
      <header className="sr-head">
        <div>
          <h3>{proposal.title}</h3>
          <p className="sr-dim">{where}</p>
        </div>
        <span className={`sr-badge sr-${tone}`}>{label}</span>
      </header>
      <Facts proposal={proposal} />
      {proposal.reason ? <p className="sr-reason">{proposal.reason}</p> : null}
      {(proposal.variants || []).length ? (
        <div className="sr-variants">{proposal.variants.map((variant) => <Variant key={variant.id} variant={variant} />)}</div>
      ) : null}
      <Checks checks={proposal.checks} />
      {notice ? <p className="sr-notice" role="alert"><Info size={15} aria-hidden="true" /> {notice}</p> : null}
      {!pending && proposal.decided_by ? (
        <p className="sr-decided">
          {label} by {name(proposal.decided_by)}{proposal.decided_at ? ` · ${time(proposal.decided_at)}` : ""}
          {proposal.decision_reason ? <span className="sr-dim"> — {proposal.decision_reason}</span> : null}
        </p>
      ) : null}
      {pending && proposal.can_decide && !over && rejecting ? (
        <form className="sr-reject" onSubmit={(event) => { event.preventDefault(); decide("reject"); }}>
          <label htmlFor={`why-${proposal.id}`}>Why not?</label>
          <textarea id={`why-${proposal.id}`} rows={2} maxLength={1000} required autoFocus value={reason}
                    placeholder="The reason goes into the ledger" onChange={(event) => setReason(event.target.value)} />
          <div className="sr-buttons">
            <button type="submit" className="sr-button sr-danger" disabled={!!busy || !reason.trim()}>
              {busy ? "Rejecting…" : "Reject proposal"}
            </button>
            <button type="button" className="sr-button" disabled={!!busy} onClick={() => setRejecting(false)}>Back</button>
          </div>
        </form>
      ) : null}
      {pending && proposal.can_decide && !over && !rejecting ? (
        <div className="sr-buttons">
          <button type="button" className="sr-button sr-primary" disabled={!!busy} onClick={() => decide("approve")}>
            <Check size={16} aria-hidden="true" /> {busy ? "Approving…" : "Approve"}
          </button>
          <a className="sr-button" href={`/approvals/${encodeURIComponent(proposal.id)}`}><Pencil size={15} aria-hidden="true" /> Edit</a>
          <button type="button" className="sr-button sr-quiet-danger" disabled={!!busy} onClick={() => setRejecting(true)}>
            <X size={16} aria-hidden="true" /> Reject
          </button>
        </div>
      ) : null}
      {pending && !proposal.can_decide ? (
        <p className="sr-dim sr-wait">{proposal.why_not || "A manager decides about this proposal."}</p>
      ) : null}
      {!pending || over || !proposal.can_decide ? (
        <a className="sr-link" href={`/approvals/${encodeURIComponent(proposal.id)}`}>Open in Approvals</a>
      ) : null}
    </section>
  );
}
