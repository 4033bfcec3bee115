//! `lectern audit verify`: recomputes every chain from the stored rows. Exit 0 with counts, or 1 naming the first bad record.

use std::process::ExitCode;

use anyhow::Result;

use crate::{config::Config, world};

pub async fn verify(config: Config) -> Result<ExitCode> {
    let services = world::beside(&config).await?;
    let reports = services::audit::verify(&services.db).await.map_err(|error| anyhow::anyhow!("the record cannot be read: {error}"))?;
    let mut good = true;
    for report in reports {
        let unsealed = match report.unsealed {
            0 => String::new(),
            number => format!(", {number} not sealed yet"),
        };
        match report.result {
            Ok(count) => super::say(&format!("chain {}: {count} records verified{unsealed}", report.chain)),
            Err(broken) => {
                good = false;
                super::say(&format!("chain {}: BROKEN: {broken}{unsealed}", report.chain));
            }
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
