//! The schema, step by step. Forward only; a new step is a file of the same name in both engine folders and a line in `STEPS`.

use std::borrow::Cow;

use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

use crate::database::Engine;

struct Step {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! step {
    ($version:literal, $name:literal) => {
        Step {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $name, ".sql")),
        }
    };
}

const STEPS: &[Step] = &[
    step!(1, "0001_people"),
    step!(2, "0002_catalogue"),
    step!(3, "0003_orders"),
    step!(4, "0004_labs"),
    step!(5, "0005_usage"),
    step!(6, "0006_jobs"),
    step!(7, "0007_audit"),
    step!(8, "0008_metering_paths"),
    step!(9, "0009_notifications"),
    step!(10, "0010_offering_versions"),
    step!(11, "0011_lab_lifecycle"),
    step!(12, "0012_lab_failures"),
    step!(13, "0013_decisions"),
    step!(14, "0014_policies"),
    step!(15, "0015_departments"),
    step!(16, "0016_links_and_announcements"),
    step!(17, "0017_imports"),
    step!(18, "0018_prices_and_discounts"),
    step!(19, "0019_bills"),
    step!(20, "0020_audit_searches"),
    step!(21, "0021_audit_runs"),
    step!(22, "0022_nodes"),
    step!(23, "0023_identities"),
    step!(24, "0024_settled_notices"),
    step!(25, "0025_kept_answers"),
    step!(26, "0026_class_orders"),
    step!(27, "0027_delegations"),
    step!(28, "0028_kept_answers_go"),
    step!(30, "0030_known_devices"),
    step!(31, "0031_offering_owners"),
    step!(32, "0032_instants_of_changes"),
    step!(33, "0033_card_of_usage"),
    step!(34, "0034_clock_jumps"),
    step!(38, "0038_secrets"),
    step!(41, "0041_folded_texts"),
    step!(43, "0043_node_machines"),
    step!(44, "0044_lab_change_orders"),
    step!(46, "0046_pod_slots"),
    step!(47, "0047_import_starters"),
    step!(48, "0048_visits"),
    step!(49, "0049_lab_starts"),
    step!(50, "0050_token_passes"),
    step!(51, "0051_ssh_keys"),
    step!(52, "0052_lab_shares"),
    step!(53, "0053_lab_use"),
    step!(54, "0054_lab_ssh_keys"),
    step!(55, "0055_labs_own_secrets"),
    step!(56, "0056_lab_logs"),
];

pub(crate) fn migrator(engine: Engine) -> Migrator {
    let migrations = STEPS
        .iter()
        .map(|step| {
            let sql = match engine {
                Engine::Sqlite => step.sqlite,
                Engine::Postgres => step.postgres,
            };
            Migration::new(step.version, Cow::Borrowed(step.name), MigrationType::Simple, AssertSqlSafe(sql).into_sql_str(), false)
        })
        .collect();
    Migrator::with_migrations(migrations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_step_in_both_engines() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        for engine in ["sqlite", "postgres"] {
            let mut files: Vec<_> = std::fs::read_dir(format!("{root}/{engine}"))
                .expect("the folder is there")
                .map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"))
                .collect();
            files.sort();
            let steps: Vec<_> = STEPS.iter().map(|step| format!("{}.sql", step.name)).collect();
            assert_eq!(files, steps, "{engine}");
        }
    }
}
