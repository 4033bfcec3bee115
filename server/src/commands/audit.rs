//! `lectern audit verify`: recomputes every chain from the stored rows and compares the tables around it, or verifies the records of an
//! exported file. Exits with 0 and counts, or with 1 and the first bad record; also with 1 if there is no record at all.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use domain::audit::export::{FileVerifier, Proved};

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
    let around = services::audit::verify_around(&services.db).await.map_err(|error| anyhow::anyhow!("the record cannot be read: {error}"))?;
    for (chain, broken) in around {
        good = false;
        super::say(&format!("chain {chain}: BROKEN: {broken}"));
    }
    super::say(
        "This finds what does not fit together. Whoever can write to the database and changes everything that must fit is not found: compare \
         the heads with those of an export that is kept elsewhere.",
    );
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Needs nothing but the file: no database, no data folder.
pub fn verify_file(file: &Path) -> Result<ExitCode> {
    let name = file.display();
    let mut lines = BufReader::new(File::open(file).with_context(|| format!("{name} cannot be opened"))?).lines();
    let first = lines.next().transpose().with_context(|| format!("{name} cannot be read"))?.unwrap_or_default();
    let proved = FileVerifier::begin(&first).and_then(|mut verifier| {
        for line in lines {
            // What is no text is no export either.
            verifier.take(&line.unwrap_or_default())?;
        }
        let exported = (verifier.head.exported_at, verifier.head.exported_by.clone());
        Ok((exported, verifier.finish()?))
    });
    let ((at, by), proved) = match proved {
        Ok(proved) => proved,
        Err(bad) => {
            super::say(&format!("{name}: BROKEN: {bad}"));
            return Ok(ExitCode::FAILURE);
        }
    };
    super::say(&format!("{name}: exported {at} by {by}"));
    for Proved { chain, records, first, last, missing, head } in proved {
        let span = if records == 0 { String::new() } else { format!(" between places {first} and {last}") };
        super::say(&format!("chain {chain}: {records} records verified{span}"));
        if missing > 0 {
            super::say(&format!("  {missing} of {} places are not in the file: the links over these gaps were not checked", head.seq));
        }
        super::say(&format!("  head at the time: {} {}", head.seq, head.hash));
    }
    super::say("A file proves that its records fit their hashes. That the hashes are the portal's, see by comparing these heads with it.");
    Ok(ExitCode::SUCCESS)
}
