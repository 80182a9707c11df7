//! The migrations, embedded in the binary.

use std::sync::LazyLock;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Includes the named files of `migrations/`. A name is `NNNN_description`; the number is the version.
macro_rules! include_migrations {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../migrations/", $name, ".sql")))),*]
    };
}

const FILES: &[(&str, &str)] = &include_migrations![
    "0001_create_accounts",
    "0002_create_datasets",
    "0003_create_jobs",
    "0004_create_models",
    "0005_create_fleet",
    "0006_create_job_logs",
    "0007_create_webhooks",
    "0008_create_schedules",
    "0009_remember_bulk_submissions",
    "0011_create_job_quotas",
    "0012_secure_accounts",
    "0013_create_external_identities",
    "0014_create_dataset_formats",
    "0015_add_quota_epochs",
    "0016_index_job_filters",
    "0017_create_job_actions",
    "0018_create_queue_samples",
    "0019_create_api_keys",
    "0020_create_predictions",
    "0021_create_model_traffic",
    "0022_report_worker_memory",
    "0023_create_checkpoints",
];

pub(crate) static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = Migrator::with_migrations(FILES.iter().filter_map(|(name, sql)| migration(name, sql)).collect());
    // The migrator's lock belongs to a session, which a pooler shares. `db::MIGRATING` takes a transaction's lock instead.
    migrator.set_locking(false);
    migrator
});

/// The migration of one file; `None` if its name has no number, which a test prevents.
fn migration(name: &'static str, sql: &'static str) -> Option<Migration> {
    let (number, description) = name.split_once('_')?;
    let description = description.replace('_', " ").into();
    Some(Migration::new(number.parse().ok()?, description, MigrationType::Simple, sql.into_sql_str(), false))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_migration() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        let files: BTreeSet<String> = fs::read_dir(folder)
            .expect("folder")
            .filter_map(|entry| Some(entry.expect("entry").file_name().to_str()?.strip_suffix(".sql")?.to_owned()))
            .collect();
        assert_eq!(files, FILES.iter().map(|(name, _)| (*name).to_owned()).collect());
        assert_eq!(MIGRATIONS.iter().count(), FILES.len(), "every name begins with a number");
    }
}
