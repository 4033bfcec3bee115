//! One large download: how fast it passes, and whether the server in front keeps any of it.

use anyhow::{Result, ensure};

use super::{
    Measured, middle,
    stands::{Front, Kind},
    times_of,
};
use crate::{report::Section, stats::bytes};

/// Bytes of one piece, as `src/bin/stand/upstream.rs` has it.
const PIECE: u32 = 64 * 1_024;
/// Bytes by which memory may grow over what a tenth of the download took: buffers of the way, nothing of the content.
const MOST: u64 = 16_000_000;

pub async fn measure(front: &Front<'_>, section: &mut Section) -> Result<()> {
    // 1 GB, or 100 MB.
    let pieces: u32 = front.settings.size(15_259, 1_526);
    let path = format!("/download/{pieces}");
    let size = u64::from(pieces) * u64::from(PIECE);
    let stands = front.stands().await?;
    let mut before = Vec::new();
    for stand in &stands {
        front.target(stand, &format!("/download/{}", pieces / 10), 0).drain().await?;
        before.push(stand.memory()?.peak);
    }
    // Of each run: megabytes a second, and bytes by which the most memory had grown until then.
    let mut measured: Vec<_> = stands.iter().map(|stand| Measured { kind: stand.kind, runs: Vec::new() }).collect();
    for _ in 0..super::runs(front.settings) {
        for ((stand, before), measured) in stands.iter().zip(&before).zip(&mut measured) {
            let (taken, time) = front.target(stand, &path, 0).drain().await?;
            ensure!(taken == size, "{}: {taken} bytes of {size} came", stand.kind);
            let rate = f64::from(pieces) * f64::from(PIECE) / 1e6 / time.as_secs_f64();
            measured.runs.push((rate, stand.memory()?.peak.saturating_sub(*before)));
        }
    }
    let rate = |(rate, _): &(f64, u64)| *rate;
    for Measured { kind, runs } in &measured {
        let grown = runs.iter().map(|(_, grown)| *grown).max().unwrap_or_default();
        let what = format!("{kind}: download of {}, memory grows over a tenth of it by", bytes(size));
        let shown = format!("{:.0} MB a second, {}", middle(&measured, *kind, rate).unwrap_or(f64::NAN), bytes(grown));
        if *kind == Kind::Door {
            section.aim(what, "constant: under 16 MB", shown, grown < MOST);
        } else {
            section.row(what, "", shown, "");
        }
    }
    if let Some(times) = times_of(&measured, Kind::Bare, rate) {
        section.aim("Download: the door's speed of the bare proxy's", "at least 80 %", format!("{:.0} %", times * 100.0), times >= 0.8);
    }
    if let Some(times) = times_of(&measured, Kind::Peer, rate) {
        section.row("Download: the door's speed of configurable-http-proxy's", "", format!("{times:.1} times"), "");
    }
    for stand in stands {
        stand.stop().await?;
    }
    Ok(())
}
