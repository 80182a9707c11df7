import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useRef, useState } from "react";
import { api, data } from "../api/client";
import { ApiError, fieldsOf, isMissing, messageOf } from "../api/problem";
import { queries } from "../api/queries";
import { PRODUCTION, productionFirst } from "../lib/models";
import { type Draft, type Feature, parseDraft } from "../lib/signature";
import { isAdmin } from "../session/session";
import { useSession } from "../session/use-session";
import { Button, buttonClass } from "../ui/button";
import { Field } from "../ui/field";
import { Page, Panel } from "../ui/page";
import { EmptyState, ErrorState, Loading } from "../ui/states";
import { Answer, AsProgram } from "./predict-answer";
import { Batch } from "./predict-batch";
import { FeatureInput } from "./predict-input";

export function PredictPage() {
  const search = useSearch({ from: "/shell/predict" });
  const navigate = useNavigate({ from: "/predict" });
  const admin = isAdmin(useSession());
  const models = useQuery(queries.models());
  if (models.isError && !models.data) {
    return (
      <Page title="Predict">
        <ErrorState error={models.error} retry={() => void models.refetch()} />
      </Page>
    );
  }
  if (models.isPending) {
    return (
      <Page title="Predict">
        <Loading />
      </Page>
    );
  }
  const usable = productionFirst(models.data).filter(({ latest }) => latest !== null);
  const model = search.model ? models.data.find(({ name }) => name === search.model) : usable[0];
  const version = search.version ?? model?.aliases[PRODUCTION] ?? model?.latest?.version;
  return (
    <Page title="Predict" about="Fill in what you know. A field that stays empty counts as missing, as in training.">
      {usable.length === 0 ? (
        <EmptyState
          title="There is no model to predict with"
          action={
            admin && (
              <Link to="/train" className={buttonClass("primary")}>
                Train a model
              </Link>
            )
          }
        >
          {admin ? "Train one first: its first version is served at once." : "An administrator trains the first one."}
        </EmptyState>
      ) : (
        <div className="space-y-4">
          <div className="grid max-w-md grid-cols-[1fr_auto] gap-3">
            <Field label="Model">
              {(props) => (
                <select
                  {...props}
                  className="control"
                  value={model?.name ?? ""}
                  onChange={(event) => void navigate({ search: { model: event.target.value } })}
                >
                  {!model && <option value="">choose a model</option>}
                  {usable.map(({ name }) => (
                    <option key={name} value={name}>
                      {name}
                    </option>
                  ))}
                </select>
              )}
            </Field>
            {model && version !== undefined && <VersionChoice name={model.name} version={version} />}
          </div>
          {!model ? (
            <ErrorState
              error={new ApiError(404, { detail: `There is no model ${search.model}. Choose another one.` })}
            />
          ) : version === undefined ? (
            <EmptyState title="This model has no version">Train a new version, or choose another model.</EmptyState>
          ) : (
            <Form
              key={`${model.name}/${version}`}
              name={model.name}
              version={version}
              pinned={search.version !== undefined}
            />
          )}
        </div>
      )}
    </Page>
  );
}

function VersionChoice({ name, version }: { name: string; version: number }) {
  const navigate = useNavigate({ from: "/predict" });
  const model = useQuery(queries.model(name));
  const versions = model.data?.versions ?? [];
  return (
    <Field label="Version">
      {(props) => (
        <select
          {...props}
          className="control min-w-36"
          value={version}
          onChange={(event) => void navigate({ search: { model: name, version: Number(event.target.value) } })}
        >
          {!versions.some((one) => one.version === version) && <option value={version}>v{version}</option>}
          {versions.map((one) => (
            <option key={one.version} value={one.version}>
              v{one.version}
              {one.aliases.includes(PRODUCTION) ? " (production)" : ""}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface PredictionBody {
  model: string;
  version?: number;
  features: ReturnType<typeof parseDraft>["values"];
}

interface FormProps {
  name: string;
  version: number;
  /** Whether the URL names the version; otherwise predictions use the alias production. */
  pinned: boolean;
}

function Form({ name, version, pinned }: FormProps) {
  const detail = useQuery(queries.version(name, version));
  const [draft, setDraft] = useState<Draft>({});
  /** The fields whose errors are shown: those that the person has left, and all after an attempt to predict. */
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [checked, setChecked] = useState(false);
  /** Whether the model can explain its predictions; null until an answer says so. */
  const explains = useRef<boolean | null>(null);
  const predict = useMutation({
    mutationFn: async (body: PredictionBody) => {
      const send = (explain: boolean) =>
        data(api.POST("/inference", { body: { ...body, explain } })) as Promise<Record<string, unknown>>;
      if (explains.current === false) return send(false);
      try {
        return await send(true);
      } catch (error) {
        // Some algorithms have no contributions; only the server knows which ones are in an ensemble.
        if (!("explain" in fieldsOf(error))) throw error;
        explains.current = false;
        return send(false);
      }
    },
  });
  if (detail.isError && (!detail.data || isMissing(detail.error)))
    return <ErrorState error={detail.error} retry={() => void detail.refetch()} />;
  if (detail.isPending) return <Loading />;
  const { features, signature, target } = detail.data;
  const known = new Map(signature.map((feature) => [feature.name, feature]));
  // Without its dataset a version has no signature; every feature is then a text.
  const inputs: Feature[] = features.map(
    (feature) => known.get(feature) ?? { name: feature, dtype: "category", values: [], values_complete: false },
  );
  const { values, errors } = parseDraft(inputs, draft);
  const refused = fieldsOf(predict.error);
  const errorOfFeature = (feature: string) =>
    ((checked || left.has(feature)) && errors[feature]) || refused[`features.${feature}`];
  const unnamed = predict.error && Object.keys(refused).every((field) => !field.startsWith("features."));
  const body = { model: name, ...(pinned ? { version } : {}), features: values };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (Object.keys(errors).length === 0) predict.mutate(body);
  };
  return (
    <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <Panel title="Features">
        <form noValidate onSubmit={submit}>
          <div className="grid gap-4 sm:grid-cols-2">
            {inputs.map((feature) => (
              <FeatureInput
                key={feature.name}
                feature={feature}
                text={draft[feature.name] ?? ""}
                error={errorOfFeature(feature.name)}
                onChange={(text) => setDraft((before) => ({ ...before, [feature.name]: text }))}
                onLeave={() => setLeft((before) => new Set(before).add(feature.name))}
              />
            ))}
          </div>
          <div className="mt-5 flex gap-2">
            <Button type="submit" look="primary" busy={predict.isPending}>
              Predict {target}
            </Button>
            <Button
              look="quiet"
              onClick={() => {
                setDraft({});
                setLeft(new Set());
                setChecked(false);
                predict.reset();
              }}
            >
              Clear
            </Button>
          </div>
        </form>
      </Panel>
      <div className="min-w-0 space-y-4">
        <Panel title="Prediction">
          <div aria-live="polite">
            {unnamed ? (
              <p role="alert" className="text-bad">
                {messageOf(predict.error)}
              </p>
            ) : predict.data ? (
              <Answer answer={predict.data} version={detail.data} />
            ) : (
              <p className="text-soft">The prediction of {target} appears here.</p>
            )}
          </div>
        </Panel>
        <Batch name={name} version={pinned ? version : undefined} features={inputs} target={target} />
        <AsProgram body={body} />
      </div>
    </div>
  );
}
