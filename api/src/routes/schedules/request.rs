//! The body of `POST /schedules`, and the validation of its training request.

use serde::Deserialize;
use trainyard_domain::schedule::{Template, Timetable, parse_schedule_name};
use trainyard_domain::{DatasetName, FieldError, IndexedDataset, Schedule, ScheduleId, UserId};
use trainyard_http::Problem;
use trainyard_storage::StorageError;
use utoipa::ToSchema;

use crate::routes::training::request::TrainingRequest;
use crate::schemas::schedule::{CatchUpView, OverlapView};
use crate::state::Dependencies;
use crate::submission::{self, with_prefix};

/// A schedule. `name`, `cron` and `spec` are required.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "nightly", "cron": "30 2 * * *", "timezone": "Europe/Berlin", "catch_up": "one", "overlap": "skip",
    "paused": false,
    "spec": {"name": "titanic-rf", "algorithm": "random_forest", "features": ["sex", "age", "pclass"]}
}))]
pub struct ScheduleRequest {
    /// The name of the schedule.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    name: String,
    /// The cron expression: five fields (minute, hour, day of month, month, day of week), six fields with seconds first,
    /// or a nickname such as `@daily`.
    #[schema(max_length = 200)]
    cron: String,
    /// The IANA name of the time zone of `cron`; `UTC` when left out.
    #[serde(default = "default_timezone")]
    timezone: String,
    /// The training request, as for `POST /training` without `run_at`.
    spec: TrainingRequest,
    /// How times that passed while no server was running are treated; `one` when left out.
    #[serde(default = "default_catch_up")]
    catch_up: CatchUpView,
    /// How a time at which a job of the schedule is queued or running is treated; `skip` when left out.
    #[serde(default = "default_overlap")]
    overlap: OverlapView,
    /// Whether the schedule begins paused; `false` when left out.
    #[serde(default)]
    paused: bool,
}

fn default_timezone() -> String {
    "UTC".to_owned()
}

fn default_catch_up() -> CatchUpView {
    CatchUpView::One
}

fn default_overlap() -> OverlapView {
    OverlapView::Skip
}

impl ScheduleRequest {
    /// Validates every field; returns the schedule of `creator`.
    pub(crate) async fn check(self, dependencies: &Dependencies, creator: UserId) -> Result<Schedule, Problem> {
        let mut refused = Vec::new();
        let now = dependencies.db.read().await?.now().await?;
        let name = parse_schedule_name(&self.name).map_err(|message| refused.push(FieldError::new("name", message)));
        let timetable = Timetable::parse(&self.cron, &self.timezone, now).map_err(|errors| refused.extend(errors));
        let template = template(dependencies, self.spec).await?.map_err(|errors| refused.extend(errors));
        let (Ok(name), Ok(timetable), Ok(template)) = (name, timetable, template) else {
            return Err(Problem::validation(refused));
        };
        Ok(Schedule {
            id: ScheduleId::at(now),
            name,
            cron: self.cron,
            timezone: self.timezone,
            template,
            catch_up: self.catch_up.into(),
            overlap: self.overlap.into(),
            paused: self.paused,
            created_by: creator,
            created_at: now,
            updated_at: now,
            next_run_at: timetable.next(now).filter(|_| !self.paused),
            last_run_at: None,
            last_job_id: None,
            last_error: None,
            revision: 1,
        })
    }
}

/// Validates the training request as `POST /training` does; refused fields begin with `spec.`. Call it outside a write
/// transaction: validation takes long for many columns.
pub(crate) async fn template(
    dependencies: &Dependencies,
    spec: TrainingRequest,
) -> Result<Result<Template, Vec<FieldError>>, StorageError> {
    let request = spec.complete();
    let name = DatasetName::parse(&request.dataset).ok();
    let dataset = match &name {
        Some(name) => dependencies.db.read().await?.datasets().latest(name).await?.map(IndexedDataset::from),
        None => None,
    };
    let mut refused = submission::validate(&request, dataset.as_ref(), dependencies.webhooks).err().unwrap_or_default();
    if request.draft.run_at.is_some() {
        refused.retain(|error| error.field != "run_at");
        refused.push(FieldError::new("run_at", "must be null: the schedule sets the time"));
    }
    Ok(match name {
        Some(dataset) if refused.is_empty() => Ok(Template { dataset, draft: request.draft }),
        _ => Err(with_prefix("spec.", refused).collect()),
    })
}
