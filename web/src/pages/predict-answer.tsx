import { useState } from "react";
import { Bars } from "../charts/bars";
import { SignedBars } from "../charts/signed-bars";
import { formatNumber, formatPercent } from "../lib/format";
import { metricsOf, type VersionView } from "../lib/models";
import { type Explanation, readPrediction } from "../lib/prediction";
import { curlSnippet, pythonSnippet } from "../lib/snippets";
import { Code, CopyButton } from "../ui/code";
import { Panel } from "../ui/page";
import { Tabs } from "../ui/tabs";
import { Warnings } from "../ui/warnings";

/** The prediction with its probability. */
export function Answer({ answer, version }: { answer: Record<string, unknown>; version: VersionView }) {
  const prediction = readPrediction(answer, version.target);
  const positive = metricsOf(version.metrics).positive_class;
  return (
    <div className="space-y-4">
      <div>
        <p className="text-xs text-soft">{version.target}</p>
        <p className="text-2xl font-semibold tracking-tight" data-testid="prediction">
          {prediction.isNumber ? formatNumber(Number(prediction.label)) : prediction.label}
        </p>
      </div>
      {prediction.probability !== null && (
        <div>
          <p>
            <span className="font-medium tabular-nums">{formatPercent(prediction.probability)}</span> probability of{" "}
            {version.target} = {String(positive ?? "true")}
          </p>
          <svg className="mt-2 block h-2 w-full" preserveAspectRatio="none" viewBox="0 0 100 8" aria-hidden="true">
            <rect className="fill-raised" width="100" height="8" />
            <rect className="fill-accent" width={prediction.probability * 100} height="8" />
            <rect className="fill-ink" x={prediction.threshold * 100 - 0.2} width="0.4" height="8" />
          </svg>
          <p className="mt-1 text-xs text-soft">The prediction changes at the threshold of {formatPercent(prediction.threshold)}.</p>
        </div>
      )}
      {prediction.probabilities.length > 0 && (
        <Bars
          label="Probability per class"
          items={prediction.probabilities.slice(0, 12).map(({ label, value }) => ({ name: label, value }))}
        />
      )}
      {prediction.explanation ? (
        <Contributions explanation={prediction.explanation} target={version.target} />
      ) : (
        <p className="text-xs text-soft">The contributions of the features can't be computed for this model.</p>
      )}
      <Warnings texts={prediction.warnings} />
      <p className="text-xs text-soft">
        Answered by {prediction.model} v{prediction.version}.
      </p>
    </div>
  );
}

/** What the numbers of an explanation are. */
const SCALES: Record<string, string> = {
  probability: "probability",
  log_odds: "log-odds",
  score: "score of the class",
  logarithm: "logarithm of the number",
  uncalibrated_probability: "probability before the calibration",
  uncalibrated_log_odds: "log-odds before the calibration",
  uncalibrated_score: "score of the class before the calibration",
};

/** How much each feature moves the prediction away from the mean of the model. */
function Contributions({ explanation, target }: { explanation: Explanation; target: string }) {
  const { scale, baseline, contributions } = explanation;
  const inPercent = scale === "probability" || scale === "uncalibrated_probability";
  const plain = (value: number) => (inPercent ? formatPercent(value) : formatNumber(value));
  const signed = (value: number) => `${value > 0 ? "+" : ""}${plain(value)}`.replace("-", "−");
  const unit = SCALES[scale] ?? target;
  return (
    <div>
      <p className="mb-2 text-xs text-soft">
        The mean of the model is {plain(baseline)} ({unit}). The features change it by:
      </p>
      <SignedBars label="Contributions" items={contributions.slice(0, 12)} format={signed} />
      {contributions.length > 12 && (
        <p className="mt-2 text-xs text-soft">{contributions.length - 12} features with smaller contributions.</p>
      )}
    </div>
  );
}

const LANGUAGES = [
  ["curl", "curl"],
  ["python", "Python"],
] as const;

/** The same request as a program. */
export function AsProgram({ body }: { body: unknown }) {
  const [language, setLanguage] = useState<"curl" | "python">("curl");
  const origin = window.location.origin;
  const text = language === "curl" ? curlSnippet(origin, body) : pythonSnippet(origin, body);
  return (
    <Panel
      title="As a program"
      aside={<CopyButton text={text} label={`Copy as ${language === "curl" ? "curl" : "Python"}`} />}
    >
      <Tabs label="Language" tabs={LANGUAGES} selected={language} onSelect={setLanguage}>
        <Code label={`Request in ${language}`} text={text} />
        <p className="mt-2 text-xs text-soft">
          TRAINYARD_TOKEN is an API key, which you can create on the page Account.
        </p>
      </Tabs>
    </Panel>
  );
}
