// What an answer carries besides its text: trust, facts, chart, table, sources, choices. Drawn from
// `props` alone, so it looks the same after a reload.
import { useState } from "react";
import { ShieldCheck, Sparkles, CircleHelp } from "lucide-react";

const TRUST = {
  verified: ["Verified metric", "good", ShieldCheck],
  parsed: ["Parsed from your words", "plain", ShieldCheck],
  "model-assisted": ["Model-assisted", "warn", Sparkles],
};
const COLOURS = ["var(--sr-c1)", "var(--sr-c2)", "var(--sr-c3)", "var(--sr-c4)", "var(--sr-c5)"];

// Shares are fractions and money is in minor units, as the engine gives them; axes need fewer digits.
function show(value, unit, digits = 2) {
  if (value == null) return "–";
  if (typeof value !== "number") return String(value);
  if (unit === "percent") return `${(Math.abs(value) <= 1 ? value * 100 : value).toFixed(digits)}%`;
  if (unit === "points") return `${value > 0 ? "+" : ""}${(value * 100).toFixed(digits)} pp`.replace("-", "−");
  if (unit === "months") return `${value.toFixed(1)} months`;
  if (unit === "money") {
    const cents = Math.abs(value) >= 100_000 ? 0 : 2;
    return (value / 100).toLocaleString("en-GB", { style: "currency", currency: "EUR", minimumFractionDigits: cents, maximumFractionDigits: cents });
  }
  return value.toLocaleString("en-GB", { maximumFractionDigits: 2 });
}

const flat = (series) => series.flatMap((one) => one.values).filter((value) => typeof value === "number");

function Legend({ series }) {
  if (series.length < 2) return null;
  return (
    <ul className="sr-legend">
      {series.map((one, index) => <li key={one.name}><i style={{ background: COLOURS[index % 5] }} />{one.name}</li>)}
    </ul>
  );
}

function Line({ x, series }) {
  const narrow = window.innerWidth < 560;  // keeps the labels readable on a phone
  const wide = narrow ? 330 : 640, tall = 190, left = 46, bottom = 24;
  const values = flat(series);
  const low = Math.min(0, ...values), high = Math.max(...values, low + 1e-9);
  const at = (index) => left + (index * (wide - left - 12)) / Math.max(1, x.length - 1);
  const up = (value) => 10 + (1 - (value - low) / (high - low)) * (tall - bottom - 16);
  const every = Math.max(1, Math.ceil(x.length / (narrow ? 4 : 6)));
  const path = (one) => one.values.map((value, index) => [value, index]).filter(([value]) => value != null)
    .map(([value, index], place) => `${place ? "L" : "M"}${at(index).toFixed(1)} ${up(value).toFixed(1)}`).join("");
  return (
    <svg viewBox={`0 0 ${wide} ${tall}`} className="sr-svg" aria-hidden="true">
      {[0, 0.5, 1].map((part) => {
        const value = low + (high - low) * part;
        return (
          <g key={part}>
            <line x1={left} x2={wide - 8} y1={up(value)} y2={up(value)} className="sr-grid" />
            <text x={left - 8} y={up(value) + 4} textAnchor="end">{show(value, series[0].unit, 1)}</text>
          </g>
        );
      })}
      {x.map((label, index) => index % every === 0
        ? <text key={index} x={at(index)} y={tall - 5} textAnchor="middle">{String(label).slice(-5)}</text> : null)}
      {series.map((one, index) => (
        <g key={one.name}>
          {index === 0 && series.length === 1
            ? <path d={`${path(one)}L${at(x.length - 1)} ${up(low)}L${at(0)} ${up(low)}Z`} fill={COLOURS[0]} opacity="0.09" /> : null}
          <path d={path(one)} fill="none" stroke={COLOURS[index % 5]} strokeWidth="2.2" strokeLinejoin="round" />
          {one.values.map((value, point) => value == null ? null
            : <circle key={point} cx={at(point)} cy={up(value)} r="6" fill="transparent"><title>{`${x[point]}: ${show(value, one.unit)}`}</title></circle>)}
        </g>
      ))}
    </svg>
  );
}

function Bars({ x, series }) {
  const most = Math.max(...flat(series).map(Math.abs), 1e-9);
  return (
    <div className="sr-bars">
      {x.map((label, row) => (
        <div key={row} className="sr-bar">
          <span className="sr-bar-name" title={String(label)}>{String(label)}</span>
          <span className="sr-bar-lanes">
            {series.map((one, index) => (
              <span key={one.name} className="sr-lane">
                <i style={{ width: `${(Math.abs(one.values[row] || 0) / most) * 100}%`, background: COLOURS[index % 5] }} />
                <b>{show(one.values[row], one.unit)}</b>
              </span>
            ))}
          </span>
        </div>
      ))}
    </div>
  );
}

function Heat({ x, series }) {
  const values = flat(series);
  const low = Math.min(...values), high = Math.max(...values, low + 1e-9);
  return (
    <div className="sr-scroll">
      <table className="sr-heat">
        <thead><tr><th />{x.map((label, index) => <th key={index}>{String(label)}</th>)}</tr></thead>
        <tbody>
          {series.map((one) => (
            <tr key={one.name}>
              <th scope="row">{one.name}</th>
              {one.values.map((value, index) => (
                <td key={index} title={`${one.name}, ${x[index]}: ${show(value, one.unit)}`}
                    style={{ background: value == null ? "transparent" : `color-mix(in srgb, var(--sr-c1) ${Math.round(8 + 84 * ((value - low) / (high - low)))}%, transparent)` }} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Chart({ chart }) {
  const x = (chart.x && chart.x.values) || [], series = chart.series || [];
  if (!x.length || !flat(series).length) return null;
  const Body = { line: Line, bar: Bars, heatmap: Heat }[chart.type] || Bars;
  const told = series.map((one) => `${one.name}: ${x.map((label, index) => `${label} ${show(one.values[index], one.unit)}`).join(", ")}`).join(". ");
  return (
    <figure className="sr-card sr-figure" role="img" aria-label={`${chart.title || "Chart"}. ${told}`}>
      {chart.title ? <figcaption>{chart.title}</figcaption> : null}
      <Body x={x} series={series} />
      {chart.type === "heatmap" ? null : <Legend series={series} />}
    </figure>
  );
}

function Table({ table }) {
  const [all, setAll] = useState(false);
  const rows = all ? table.rows : table.rows.slice(0, 8);
  return (
    <div className="sr-card sr-scroll">
      <table className="sr-table">
        <thead><tr>{table.columns.map((column) => <th key={column.id} scope="col">{column.label}</th>)}</tr></thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, place) => (
                <td key={place} className={typeof cell === "number" ? "sr-number" : ""}>{show(cell, (table.columns[place] || {}).unit)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {table.rows.length > 8 && !all
        ? <button type="button" className="sr-link" onClick={() => setAll(true)}>Show all {table.rows.length} rows</button> : null}
    </div>
  );
}

function Choices({ clarification }) {
  const [chosen, setChosen] = useState("");
  return (
    <div className="sr-choices" role="group" aria-label={clarification.question}>
      {(clarification.choices || []).map((choice) => (
        <button key={choice} type="button" className="sr-button" disabled={!!chosen}
                onClick={() => { setChosen(choice); sendUserMessage(choice); }}>{choice}</button>
      ))}
    </div>
  );
}

function Starters({ starters }) {
  return (
    <div className="sr-choices" role="group" aria-label="Suggestions">
      {starters.map((one) => (
        <button key={one.label} type="button" className="sr-button" title={one.text} onClick={() => sendUserMessage(one.text)}>{one.label}</button>
      ))}
    </div>
  );
}

export default function ReachAnswer() {
  const [label, tone, Icon] = TRUST[props.trust] || [];
  const source = [props.model, props.row_count != null ? `${Number(props.row_count).toLocaleString("en-GB")} ${Number(props.row_count) === 1 ? "row" : "rows"}` : null, props.freshness]
    .filter(Boolean).join(" · ");
  const facts = props.facts || [], citations = props.citations || [];
  return (
    <div className="sr-answer">
      {facts.length > 1 || (facts.length && !props.chart) ? (
        <ul className="sr-fact-list" aria-label="Facts">
          {facts.slice(0, 8).map((fact) => <li key={fact.id} title={fact.source || ""}><b>{fact.display}</b><span>{fact.label || fact.source || fact.id}</span></li>)}
        </ul>
      ) : null}
      {props.chart ? <Chart chart={props.chart} /> : null}
      {props.table && props.table.rows.length ? <Table table={props.table} /> : null}
      {props.clarification ? <Choices clarification={props.clarification} /> : null}
      {props.starters ? <Starters starters={props.starters} /> : null}
      {citations.length ? (
        <details className="sr-details"><summary>{citations.length} source{citations.length > 1 ? "s" : ""}</summary>
          <ol>{citations.map((one, index) => <li key={index}><b>{one.title}</b> {one.text}<span className="sr-dim"> — {one.source}</span></li>)}</ol>
        </details>
      ) : null}
      {props.spec_text || props.sql ? (
        <details className="sr-details"><summary>How this was computed</summary>
          {props.spec_text ? <p>{props.spec_text}</p> : null}
          {props.sql ? <pre tabIndex={0}>{props.sql}</pre> : null}
        </details>
      ) : null}
      {label || source ? (
        <p className="sr-foot">
          {label ? <span className={`sr-chip sr-${tone}`}><Icon size={13} aria-hidden="true" /> {label}</span> : null}
          {props.clarification ? <span className="sr-chip sr-plain"><CircleHelp size={13} aria-hidden="true" /> Needs your choice</span> : null}
          {source ? <span className="sr-dim">{source}</span> : null}
        </p>
      ) : null}
    </div>
  );
}
