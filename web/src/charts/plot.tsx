import { useId } from "react";
import { type Plot, type Point, ticksOf } from "../lib/curves";
import { formatNumber } from "../lib/format";

const SIZE = 240;
const LEFT = 44;
const BOTTOM = 36;
const TOP = 8;
const RIGHT = 10;
/** Colours, and dashes for more lines than colours. */
const COLOURS = ["stroke-accent", "stroke-good", "stroke-warn", "stroke-bad", "stroke-busy"];
const DASHES = [undefined, "5 3"];

/** A square plot of curves or dots, with its values as a table. */
export function PlotFigure({ plot, of }: { plot: Plot; of?: string }) {
  const id = useId();
  const { from, to } = plot;
  const { from: bottom, to: top } = plot.vertical ?? plot;
  const x = (value: number) => LEFT + ((value - from) / (to - from)) * SIZE;
  const y = (value: number) => TOP + SIZE - ((value - bottom) / (top - bottom)) * SIZE;
  const path = (points: readonly Point[]) =>
    points.map(([one, other], at) => `${at === 0 ? "M" : "L"}${x(one).toFixed(1)} ${y(other).toFixed(1)}`).join("");
  const look = (at: number) => COLOURS[at % COLOURS.length] ?? "stroke-accent";
  const dash = (at: number) => DASHES[Math.floor(at / COLOURS.length) % DASHES.length];
  const title = of ? `${plot.title} of ${of}` : plot.title;
  return (
    <figure className="min-w-0 max-w-sm">
      <figcaption>
        <h3 className="font-medium">{title}</h3>
        <p className="mt-0.5 text-xs text-soft">{plot.about}</p>
      </figcaption>
      <svg
        viewBox={`0 0 ${LEFT + SIZE + RIGHT} ${TOP + SIZE + BOTTOM}`}
        className="mt-2 block w-full"
        role="img"
        aria-labelledby={`${id}-title ${id}-about`}
      >
        <title id={`${id}-title`}>{title}</title>
        <desc id={`${id}-about`}>{plot.about}</desc>
        {ticksOf(from, to).map((tick) => (
          <g key={tick} className="fill-soft text-[10px] tabular-nums">
            <line x1={x(tick)} x2={x(tick)} y1={TOP} y2={TOP + SIZE} className="stroke-line" />
            <text x={x(tick)} y={TOP + SIZE + 14} textAnchor="middle">
              {formatNumber(tick)}
            </text>
          </g>
        ))}
        {ticksOf(bottom, top).map((tick) => (
          <g key={tick} className="fill-soft text-[10px] tabular-nums">
            <line x1={LEFT} x2={LEFT + SIZE} y1={y(tick)} y2={y(tick)} className="stroke-line" />
            <text x={LEFT - 6} y={y(tick) + 3.5} textAnchor="end">
              {formatNumber(tick)}
            </text>
          </g>
        ))}
        <text x={LEFT + SIZE / 2} y={TOP + SIZE + 31} textAnchor="middle" className="fill-soft text-[11px]">
          {plot.x}
        </text>
        <text
          transform={`translate(11 ${TOP + SIZE / 2}) rotate(-90)`}
          textAnchor="middle"
          className="fill-soft text-[11px]"
        >
          {plot.y}
        </text>
        {plot.reference && (
          <path d={path(plot.reference.points)} className="stroke-control" strokeDasharray="3 3" fill="none" />
        )}
        {plot.lines.map(({ name, points }, at) => (
          <path
            key={name}
            d={path(points)}
            fill="none"
            className={look(at)}
            strokeWidth="1.75"
            strokeLinejoin="round"
            strokeDasharray={dash(at)}
          />
        ))}
        {plot.dots.map(({ point: [one, other], radius }, at) => (
          <circle
            // biome-ignore lint/suspicious/noArrayIndexKey: two rows may have the same values
            key={at}
            cx={x(one)}
            cy={y(other)}
            r={radius}
            className="fill-accent/60 stroke-panel"
            strokeWidth="0.75"
          />
        ))}
      </svg>
      <Legend plot={plot} look={look} dash={dash} />
      <details className="mt-1 text-xs">
        <summary className="text-soft hover:text-ink">Values</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region needs the keyboard */}
        <section className="relative mt-1 max-h-56 overflow-auto" aria-label={`Values: ${title}`} tabIndex={0}>
          <table className="w-full tabular-nums">
            <thead>
              <tr className="text-left text-soft">
                {plot.columns.map((column) => (
                  <th key={column} scope="col" className="sticky top-0 bg-panel py-1 pr-3 font-medium">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className="divide-y divide-line">
              {plot.rows.map((row, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows have no identity but their place
                <tr key={at}>
                  {row.map((value, column) => (
                    <td key={plot.columns[column]} className="py-0.5 pr-3">
                      {value}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
    </figure>
  );
}

interface LegendProps {
  plot: Plot;
  look: (at: number) => string;
  dash: (at: number) => string | undefined;
}

function Legend({ plot, look, dash }: LegendProps) {
  const lines = plot.lines.map(({ name }, at) => ({ name, colour: look(at), dash: dash(at) }));
  const all = plot.reference ? [...lines, { name: plot.reference.name, colour: "stroke-control", dash: "3 3" }] : lines;
  return (
    <ul className="mt-1 flex flex-wrap gap-x-4 gap-y-0.5 pl-9 text-xs text-soft">
      {all.map(({ name, colour, dash }) => (
        <li key={name} className="flex min-w-0 items-center gap-1.5">
          <svg viewBox="0 0 18 4" className="h-1 w-4.5 shrink-0" aria-hidden="true">
            <line x1="0" x2="18" y1="2" y2="2" className={colour} strokeWidth="2" strokeDasharray={dash} />
          </svg>
          <span className="truncate">{name}</span>
        </li>
      ))}
    </ul>
  );
}
