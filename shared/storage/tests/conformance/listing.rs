//! Lists of jobs: order, filters and stable pages.

use trainyard_domain::job_filter::parse_search;
use trainyard_domain::{
    Algorithm, Condition, DatasetName, FailureCode, Job, JobError, JobFilter, JobId, JobKind, JobStatus, ModelName,
    Role, UserId,
};
use trainyard_storage::JobCount;

use crate::fixture::{Fixture, dataset, prediction, training};

on_both!(
    pages_are_stable_while_jobs_are_submitted,
    filters_can_be_combined,
    filters_on_both_tables_find_rare_jobs,
    conditions_list_values_or_exclude_them,
    a_word_matches_the_beginning_of_names_and_of_words_of_errors,
    a_retried_job_has_no_error_code,
    failures_of_an_earlier_version_are_indexed,
    names_with_a_common_beginning_are_found_whatever_their_number,
    beginnings_are_compared_byte_by_byte,
    a_search_for_seldom_combinations_stops_and_continues,
);

on_danish!(
    pages_are_stable_while_jobs_are_submitted,
    filters_can_be_combined,
    filters_on_both_tables_find_rare_jobs,
    conditions_list_values_or_exclude_them,
    a_word_matches_the_beginning_of_names_and_of_words_of_errors,
    names_with_a_common_beginning_are_found_whatever_their_number,
    beginnings_are_compared_byte_by_byte,
);

async fn list(fixture: &Fixture, filter: &JobFilter, before: Option<JobId>, limit: i64) -> Vec<JobId> {
    let mut tx = fixture.db.read().await.unwrap();
    tx.jobs().list(filter, before, limit).await.unwrap().jobs.into_iter().map(|job| job.id).collect()
}

async fn pages_are_stable_while_jobs_are_submitted(fixture: Fixture) {
    let all = JobFilter::default();
    let mut expected = Vec::new();
    for second in 0..25 {
        let created = fixture.later(second);
        expected.push(fixture.queue_with(|job| job.id = JobId::at(created)).await);
    }
    expected.reverse();
    let mut seen = list(&fixture, &all, None, 10).await;
    for second in 100..103 {
        let created = fixture.later(second);
        fixture.queue_with(|job| job.id = JobId::at(created)).await;
        let page = list(&fixture, &all, seen.last().copied(), 10).await;
        seen.extend(page);
    }
    assert_eq!(seen, expected, "no duplicates and no gaps");
}

async fn filters_can_be_combined(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let svm = fixture
        .queue_with(|job| {
            training(job).algorithm = Algorithm::Svm;
            job.created_by = bob;
        })
        .await;
    let other = fixture.queue_with(|job| job.spec.name = ModelName::parse("other").unwrap()).await;
    let running = fixture.queue().await;
    fixture.claim(running, "w", fixture.now).await.unwrap();

    let by_algorithm = JobFilter { algorithm: Algorithm::Svm.into(), ..JobFilter::default() };
    assert_eq!(list(&fixture, &by_algorithm, None, 10).await, [svm]);
    let by_name = JobFilter { name: ModelName::parse("other").unwrap().into(), ..JobFilter::default() };
    assert_eq!(list(&fixture, &by_name, None, 10).await, [other]);
    let by_status = JobFilter { status: JobStatus::Running.into(), ..JobFilter::default() };
    assert_eq!(list(&fixture, &by_status, None, 10).await, [running]);
    let by_creator = JobFilter { created_by: fixture.user.into(), ..JobFilter::default() };
    assert_eq!(list(&fixture, &by_creator, None, 10).await.len(), 2);
    let both = JobFilter { status: JobStatus::Queued.into(), created_by: fixture.user.into(), ..JobFilter::default() };
    assert_eq!(list(&fixture, &both, None, 10).await, [other]);
    let none = JobFilter { algorithm: Algorithm::Svm.into(), created_by: fixture.user.into(), ..both };
    assert!(list(&fixture, &none, None, 10).await.is_empty());
}

async fn filters_on_both_tables_find_rare_jobs(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let draft = |user, second, status| {
        let mut job = fixture.draft();
        job.id = JobId::at(fixture.later(second));
        (job.created_by, job.status) = (user, status);
        job
    };
    let mut tx = fixture.db.begin().await.unwrap();
    let mut insert = async |user, second, status| {
        let job = draft(user, second, status);
        tx.jobs().insert(&job).await.unwrap();
        job.id
    };
    // A few failed jobs of Bob, then many succeeded jobs of Bob and many failed jobs of Ada, then failed jobs of Bob.
    let mut expected = Vec::new();
    for second in 0..3 {
        expected.push(insert(bob, second, JobStatus::Failed).await);
    }
    for second in 10..360 {
        insert(bob, second, JobStatus::Succeeded).await;
        insert(fixture.user, second, JobStatus::Failed).await;
    }
    for second in 400..402 {
        expected.push(insert(bob, second, JobStatus::Failed).await);
    }
    tx.commit().await.unwrap();
    expected.reverse();
    let failures =
        |user: UserId| JobFilter { status: JobStatus::Failed.into(), created_by: user.into(), ..JobFilter::default() };
    assert_eq!(list(&fixture, &failures(bob), None, 10).await, expected);
    assert_eq!(list(&fixture, &failures(bob), None, 2).await, expected[..2]);
    assert_eq!(list(&fixture, &failures(bob), Some(expected[1]), 2).await, expected[2..4]);
    assert_eq!(list(&fixture, &failures(bob), Some(expected[3]), 2).await, expected[4..]);
    let (status, user) = (JobStatus::Succeeded, fixture.user);
    let none = JobFilter { status: status.into(), ..failures(user) };
    assert!(list(&fixture, &none, None, 10).await.is_empty(), "Ada has no succeeded job");
    assert_eq!(list(&fixture, &failures(user), None, 400).await.len(), 350, "a page larger than the window");
}

fn model(name: &str) -> ModelName {
    ModelName::parse(name).unwrap()
}

fn searching(text: &str) -> JobFilter {
    JobFilter { search: parse_search(text).unwrap(), search_emails: true, ..JobFilter::default() }
}

type Change = Box<dyn FnOnce(&mut Job) + Send>;

/// Inserts jobs, each a second after the one before; returns their ids, newest first.
async fn insert(fixture: &Fixture, changes: Vec<Change>) -> Vec<JobId> {
    let mut tx = fixture.db.begin().await.unwrap();
    let mut ids = Vec::new();
    for (second, change) in (0..).zip(changes) {
        let mut job = fixture.draft();
        job.id = JobId::at(fixture.later(second));
        change(&mut job);
        tx.jobs().insert(&job).await.unwrap();
        ids.push(job.id);
    }
    tx.commit().await.unwrap();
    ids.reverse();
    ids
}

fn failed(job: &mut Job, code: FailureCode, message: &str) {
    (job.status, job.error) = (JobStatus::Failed, Some(JobError::new(code, message)));
}

/// A failed job of each kind, and others: the ids newest first.
async fn some_jobs(fixture: &Fixture) -> Vec<JobId> {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let sales = dataset("sales", 1, fixture.now);
    let newer = dataset("sales", 2, fixture.later(1));
    let mut tx = fixture.db.begin().await.unwrap();
    tx.datasets().insert(&sales).await.unwrap();
    tx.datasets().insert(&newer).await.unwrap();
    tx.commit().await.unwrap();
    insert(
        fixture,
        vec![
            Box::new(|job| failed(job, FailureCode::OutOfMemory, "the process exceeded 512 MiB")),
            Box::new(|job| failed(job, FailureCode::Timeout, "training exceeded 60 s")),
            Box::new(move |job| {
                (job.spec.name, job.created_by) = (model("bobs-model"), bob);
                job.status = JobStatus::Cancelled;
            }),
            Box::new(move |job| (job.dataset_id, training(job).algorithm) = (sales.id, Algorithm::Svm)),
            Box::new(move |job| (job.dataset_id, job.status) = (newer.id, JobStatus::Succeeded)),
            Box::new(|job| (job.spec.name, job.spec.work) = (model("demo-2"), prediction())),
        ],
    )
    .await
}

/// The positions of the matching jobs in `ids`.
async fn positions(fixture: &Fixture, ids: &[JobId], filter: &JobFilter) -> Vec<usize> {
    let found = list(fixture, filter, None, 100).await;
    let counted = fixture.db.read().await.unwrap().jobs().count(filter, 100).await.unwrap();
    assert_eq!(counted, JobCount { count: i64::try_from(found.len()).unwrap(), more: false }, "{filter:?}");
    // A page of one finds the same jobs.
    let (mut paged, mut before) = (vec![], None);
    while let [id] = list(fixture, filter, before, 1).await.as_slice() {
        paged.push(*id);
        before = Some(*id);
    }
    assert_eq!(paged, found, "{filter:?}");
    found.iter().map(|id| ids.iter().position(|other| other == id).unwrap()).collect()
}

async fn conditions_list_values_or_exclude_them(fixture: Fixture) {
    let ids = some_jobs(&fixture).await;
    let all = JobFilter::default;
    let names = |names: &[&str]| names.iter().map(|name| model(name)).collect::<Vec<_>>();
    let datasets = |names: &[&str]| names.iter().map(|name| DatasetName::parse(name).unwrap()).collect::<Vec<_>>();
    let expected = [
        (JobFilter { status: Condition::In(vec![JobStatus::Failed, JobStatus::Cancelled]), ..all() }, vec![3, 4, 5]),
        (JobFilter { status: Condition::NotIn(vec![JobStatus::Failed, JobStatus::Queued]), ..all() }, vec![1, 3]),
        (JobFilter { status: Condition::NotIn(JobStatus::ALL.to_vec()), ..all() }, vec![]),
        (JobFilter { name: Condition::In(names(&["demo-2", "bobs-model"])), ..all() }, vec![0, 3]),
        (JobFilter { name: Condition::NotIn(names(&["demo"])), ..all() }, vec![0, 3]),
        (JobFilter { name: Condition::NotIn(names(&["no-such-model"])), ..all() }, vec![0, 1, 2, 3, 4, 5]),
        (JobFilter { kind: JobKind::Prediction.into(), ..all() }, vec![0]),
        (JobFilter { kind: JobKind::Training.into(), ..all() }, vec![1, 2, 3, 4, 5]),
        (JobFilter { kind: Condition::NotIn(vec![JobKind::Training]), ..all() }, vec![0]),
        (JobFilter { kind: Condition::NotIn(JobKind::ALL.to_vec()), ..all() }, vec![]),
        (JobFilter { kind: JobKind::Prediction.into(), name: model("demo").into(), ..all() }, vec![]),
        (JobFilter { algorithm: Condition::NotIn(vec![Algorithm::RandomForest]), ..all() }, vec![2]),
        (JobFilter { created_by: Condition::NotIn(vec![fixture.user]), ..all() }, vec![3]),
        (JobFilter { dataset: Condition::In(datasets(&["sales"])), ..all() }, vec![1, 2]),
        (JobFilter { dataset: Condition::In(datasets(&["no-such-dataset"])), ..all() }, vec![]),
        (JobFilter { dataset: Condition::NotIn(datasets(&["sales"])), ..all() }, vec![0, 3, 4, 5]),
        (JobFilter { error_code: FailureCode::Timeout.into(), ..all() }, vec![4]),
        (JobFilter { error_code: Condition::NotIn(vec![FailureCode::Timeout]), ..all() }, vec![0, 1, 2, 3, 5]),
        (
            JobFilter {
                status: JobStatus::Failed.into(),
                error_code: Condition::NotIn(vec![FailureCode::Timeout]),
                name: model("demo").into(),
                ..all()
            },
            vec![5],
        ),
    ];
    for (filter, expected) in expected {
        assert_eq!(positions(&fixture, &ids, &filter).await, expected, "{filter:?}");
    }
    let counted = fixture.db.read().await.unwrap().jobs().count(&all(), 5).await.unwrap();
    assert_eq!(counted, JobCount { count: 5, more: true });
}

async fn a_word_matches_the_beginning_of_names_and_of_words_of_errors(fixture: Fixture) {
    let ids = some_jobs(&fixture).await;
    let whole_id = ids[2].to_string();
    let without_dashes = ids[2].0.simple().to_string();
    for (text, expected) in [
        ("demo", vec![0, 1, 2, 4, 5]),
        ("demo-", vec![0]),
        ("emo", vec![]),
        ("sal", vec![1, 2]),
        ("titan", vec![0, 3, 4, 5]),
        ("bob@exa", vec![3]),
        ("bob", vec![3]),
        ("EXCEEDED", vec![4, 5]),
        ("exceeded 512", vec![5]),
        ("'mib'", vec![5]),
        ("out_of", vec![5]),
        ("memory", vec![5]),
        ("exceeded bob", vec![]),
        ("exceeded ada", vec![4, 5]),
        (whole_id.as_str(), vec![2]),
        (without_dashes.as_str(), vec![2]),
        ("", vec![0, 1, 2, 3, 4, 5]),
        ("100%", vec![]),
        ("de_o", vec![]),
    ] {
        assert_eq!(positions(&fixture, &ids, &searching(text)).await, expected, "{text}");
    }
    let hidden = JobFilter { search_emails: false, ..searching("bob@exa") };
    assert!(positions(&fixture, &ids, &hidden).await.is_empty(), "e-mail addresses are for administrators");
    let filter = JobFilter { status: Condition::NotIn(vec![JobStatus::Failed]), ..searching("demo") };
    assert_eq!(positions(&fixture, &ids, &filter).await, [0, 1, 2]);
}

async fn a_retried_job_has_no_error_code(fixture: Fixture) {
    let ids = some_jobs(&fixture).await;
    let timeouts = JobFilter { error_code: FailureCode::Timeout.into(), ..JobFilter::default() };
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.jobs().retry(ids[4], fixture.now).await.unwrap());
    tx.commit().await.unwrap();
    assert!(list(&fixture, &timeouts, None, 10).await.is_empty());
    assert!(list(&fixture, &searching("exceeded"), None, 10).await == [ids[5]]);
}

async fn failures_of_an_earlier_version_are_indexed(fixture: Fixture) {
    let ids = some_jobs(&fixture).await;
    fixture.execute_raw("DELETE FROM job_failures").await;
    fixture.execute_raw("DELETE FROM job_failure_words").await;
    assert!(list(&fixture, &searching("exceeded"), None, 10).await.is_empty());
    let mut tx = fixture.db.begin().await.unwrap();
    let (added, next) = tx.jobs().index_failures(None, 1).await.unwrap();
    assert!(added == 1 && next.is_some());
    let (added, next) = tx.jobs().index_failures(next, 2).await.unwrap();
    assert_eq!((added, next), (1, None));
    assert_eq!(tx.jobs().index_failures(None, 10).await.unwrap(), (0, None), "nothing is missing");
    tx.commit().await.unwrap();
    assert_eq!(positions(&fixture, &ids, &searching("exceeded")).await, [4, 5]);
}

async fn names_with_a_common_beginning_are_found_whatever_their_number(fixture: Fixture) {
    let mut tx = fixture.db.begin().await.unwrap();
    let mut ids = Vec::new();
    for n in 0..90 {
        let mut job = fixture.draft();
        job.id = JobId::at(fixture.later(n));
        job.spec.name = model(&format!("{}-{n}", if n % 2 == 0 { "even" } else { "odd" }));
        tx.jobs().insert(&job).await.unwrap();
        ids.push(job.id);
    }
    tx.commit().await.unwrap();
    ids.reverse();
    let even: Vec<_> = (0..90).filter(|position| position % 2 == 1).collect();
    assert_eq!(positions(&fixture, &ids, &searching("even-")).await, even, "more names than are scanned one by one");
    assert_eq!(positions(&fixture, &ids, &searching("even-8")).await, [1, 3, 5, 7, 9, 81], "a few names");
    let none = JobFilter { name: Condition::NotIn(vec![model("even-0")]), ..searching("even-0") };
    assert!(list(&fixture, &none, None, 10).await.is_empty());
}

async fn beginnings_are_compared_byte_by_byte(fixture: Fixture) {
    let mut tx = fixture.db.begin().await.unwrap();
    let aalborg = dataset("aalborg", 1, fixture.now);
    tx.datasets().insert(&aalborg).await.unwrap();
    tx.commit().await.unwrap();
    let aase = fixture.add_user("aase@example.com", Role::User).await;
    let ids = insert(
        &fixture,
        vec![
            Box::new(|job| job.spec.name = model("aarhus")),
            Box::new(|job| job.spec.name = model("zealand")),
            Box::new(move |job| job.dataset_id = aalborg.id),
            Box::new(move |job| job.created_by = aase),
            Box::new(|job| failed(job, FailureCode::Timeout, "aabenraa is not reachable")),
            Box::new(|job| failed(job, FailureCode::Timeout, "\u{e9}tat is not reachable")),
            Box::new(|job| failed(job, FailureCode::Timeout, "etat is not reachable")),
        ],
    )
    .await;
    // In Danish order "aa" follows "z", and "\u{e9}" is next to "e".
    for (text, expected) in [
        ("a", vec![0, 1, 2, 3, 4, 5, 6]),
        ("aa", vec![2, 3, 4, 6]),
        ("aar", vec![6]),
        ("aalb", vec![4]),
        ("aase@", vec![3]),
        ("aaben", vec![2]),
        ("z", vec![5]),
        ("et", vec![0]),
        ("\u{e9}t", vec![1]),
    ] {
        assert_eq!(positions(&fixture, &ids, &searching(text)).await, expected, "{text}");
    }
    let names = JobFilter { name: Condition::In(vec![model("aarhus"), model("zealand")]), ..JobFilter::default() };
    assert_eq!(positions(&fixture, &ids, &names).await, [5, 6]);
    let others = JobFilter { name: Condition::NotIn(vec![model("demo"), model("zealand")]), ..JobFilter::default() };
    assert_eq!(positions(&fixture, &ids, &others).await, [6]);
}

async fn a_search_for_seldom_combinations_stops_and_continues(fixture: Fixture) {
    let bob = fixture.add_user("bob@example.com", Role::User).await;
    let mut tx = fixture.db.begin().await.unwrap();
    // The conditions alternate, so that both are frequent everywhere. Only the oldest job meets both.
    let jobs: Vec<Job> = (0..22_001)
        .map(|n| {
            let mut job = fixture.draft();
            job.id = JobId::at(fixture.later(n));
            if n == 0 || n % 2 == 1 {
                job.created_by = bob;
            }
            if n % 2 == 0 {
                job.spec.name = model("other");
            }
            job
        })
        .collect();
    let oldest = jobs[0].id;
    tx.jobs().submit(&jobs, &[]).await.unwrap();
    tx.commit().await.unwrap();
    let filter = JobFilter { name: model("other").into(), created_by: bob.into(), ..JobFilter::default() };
    let (mut before, mut found, mut pages) = (None, vec![], 0);
    loop {
        let mut tx = fixture.db.read().await.unwrap();
        let page = tx.jobs().list(&filter, before, 10).await.unwrap();
        pages += 1;
        found.extend(page.jobs.into_iter().map(|job| job.id));
        before = page.stopped_at;
        if before.is_none() {
            break;
        }
        assert!(pages < 10, "the search ends");
    }
    assert_eq!(found, [oldest]);
    assert!(pages > 1, "a search is limited");
}
