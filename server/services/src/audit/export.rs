//! Exporting what a search finds: JSON lines with proof, or CSV for a spreadsheet. Read in batches while it is sent, so that memory
//! does not grow with the record. Sealed records only, in the order of their chains.

use std::collections::VecDeque;

use domain::{
    Result,
    access::{Action, Resource},
    audit::{
        Chain, Filter, Sealed, Who, canonical_json,
        export::{CANONICAL, ChainHead, End, FORMAT, Head, Line, Unreadable},
    },
    csv::{self, BYTE_ORDER_MARK, Cell},
};
use futures::{Stream, stream};
use serde_json::json;
use storage::{
    Database,
    audit::{
        chain,
        read::{Damaged, UNREADABLE},
    },
    row::json as text,
};

use super::{Entry, read, recording};
use crate::{Caller, Services, error::OrDomain};

const BATCH: u32 = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// With proof, for `lectern audit verify FILE`.
    Jsonl,
    Csv,
}

impl Format {
    pub const ALL: [Self; 2] = [Self::Jsonl, Self::Csv];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == text)
    }
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jsonl => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// Everything that a search of the same caller finds, in pieces of text. Errors: `Forbidden`, `ScopeMissing`; of the stream: the database went away.
///
/// Recorded before anything is sent, once in ten minutes for the same person, search and format.
pub async fn export(
    services: &Services,
    caller: &Caller,
    filter: &Filter,
    format: Format,
) -> Result<impl Stream<Item = Result<String>> + Send + use<>> {
    let filter = filter.tidy();
    let entry = || {
        let label = format.as_str();
        Entry::new("audit.export", "audit", "", label).after(json!({"format": label, "filter": read::described(&filter)}))
    };
    let heads = recording(services, caller, entry, async {
        let tenant = caller.actor.tenant;
        caller.actor.can(Action::AuditRead, &Resource::tenant(tenant))?;
        read::record_reading(services, caller, entry()).await?;
        let mut connection = services.db.read().await.or_domain()?;
        chain::states(&mut connection, [Chain::Tenant(tenant), Chain::System]).await.or_domain()
    })
    .await?;
    let now = services.clock.now();
    let found = filter.at(now).for_reader(caller.actor.user, &caller.actor.login);
    let heads: VecDeque<_> = heads.into_iter().map(|state| ChainHead { chain: state.chain, seq: state.sealed, hash: state.head }).collect();
    let first = match format {
        Format::Jsonl => format!(
            "{}\n",
            text(&Head {
                format: FORMAT.into(),
                canonical: CANONICAL.into(),
                exported_at: now,
                exported_by: caller.actor.login.clone(),
                filter: found.clone(),
                heads: heads.iter().cloned().collect(),
            })
        ),
        Format::Csv => csv_head(),
    };
    let export = Export { db: services.db.clone(), filter: found, format, heads, after: 0, records: 0, first: Some(first), over: false };
    Ok(stream::try_unfold(export, |mut export| async move { Ok(export.next().await?.map(|piece| (piece, export))) }))
}

struct Export {
    db: Database,
    filter: Filter,
    format: Format,
    /// The chain that is being read, and those after it.
    heads: VecDeque<ChainHead>,
    /// Place of the last record that was sent.
    after: i64,
    records: i64,
    first: Option<String>,
    over: bool,
}

impl Export {
    /// The next piece; `None` after the last.
    async fn next(&mut self) -> Result<Option<String>> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        while let Some(head) = self.heads.front() {
            let found = {
                // A connection for each batch: whoever reads slowly keeps none.
                let mut connection = self.db.read().await.or_domain()?;
                let span = (self.after, head.seq);
                storage::audit::read::sealed(&mut connection, self.db.engine(), head.chain, &self.filter, span, BATCH).await.or_domain()?
            };
            if let Some((last, _)) = found.last() {
                self.after = *last;
                self.records += i64::try_from(found.iter().filter(|(_, record)| record.is_ok()).count()).unwrap_or(i64::MAX);
                let (format, chain) = (self.format, head.chain);
                let line = |(seq, record)| match record {
                    Ok(sealed) => line(format, sealed),
                    Err(damaged) => damaged_line(format, chain, seq, damaged),
                };
                return Ok(Some(found.into_iter().map(line).collect()));
            }
            self.heads.pop_front();
            self.after = 0;
        }
        if self.over || self.format == Format::Csv {
            return Ok(None);
        }
        self.over = true;
        Ok(Some(format!("{}\n", text(&Line::End(End { records: self.records })))))
    }
}

fn line(format: Format, sealed: Sealed) -> String {
    match format {
        Format::Jsonl => format!("{}\n", text(&Line::Record(sealed))),
        Format::Csv => csv_line(&sealed),
    }
}

/// What cannot be read is said in its place, and the others follow.
fn damaged_line(format: Format, chain: Chain, seq: i64, Damaged { id, column }: Damaged) -> String {
    match format {
        Format::Jsonl => format!("{}\n", text(&Line::Unreadable(Unreadable { chain, seq, id, column: column.to_owned() }))),
        Format::Csv => csv::line(COLUMNS.map(|name| match name {
            "chain" => Cell::plain(chain.to_string()),
            "seq" => Cell::plain(seq.to_string()),
            "action" => Cell::text(UNREADABLE),
            "after" => Cell::text(canonical_json(&json!({ "unreadable": column }))),
            "id" => Cell::text(id.clone()),
            _ => Cell::plain(""),
        })),
    }
}

const COLUMNS: [&str; 20] = [
    "at",
    "chain",
    "seq",
    "who_kind",
    "login",
    "name",
    "via",
    "address",
    "action",
    "object_kind",
    "object_label",
    "object_id",
    "outcome",
    "code",
    "before",
    "after",
    "count",
    "request_id",
    "id",
    "hash",
];

fn csv_head() -> String {
    format!("{BYTE_ORDER_MARK}{}", csv::text_line(COLUMNS))
}

fn csv_line(Sealed { event, seq, prev: _, hash }: &Sealed) -> String {
    let name = match &event.who {
        Who::Person { name, .. } => name.as_str(),
        Who::System { .. } | Who::Anonymous { .. } => "",
    };
    let document = |value: &Option<serde_json::Value>| value.as_ref().map(canonical_json).unwrap_or_default();
    let cells: [Cell<'_>; COLUMNS.len()] = [
        Cell::plain(event.at.to_rfc3339()),
        Cell::plain(event.chain.to_string()),
        Cell::plain(seq.to_string()),
        Cell::plain(event.who.kind()),
        Cell::text(event.who.label()),
        Cell::text(name),
        Cell::plain(event.via.as_str()),
        Cell::text(event.address.as_deref().unwrap_or_default()),
        Cell::text(&event.action),
        Cell::text(&event.object.kind),
        Cell::text(&event.object.label),
        Cell::text(&event.object.id),
        Cell::plain(event.outcome.as_str()),
        Cell::text(event.code.as_deref().unwrap_or_default()),
        Cell::text(document(&event.before)),
        Cell::text(document(&event.after)),
        Cell::plain(event.count.to_string()),
        Cell::text(event.request_id.as_deref().unwrap_or_default()),
        Cell::plain(event.id.to_string()),
        Cell::plain(hash.to_string()),
    ];
    csv::line(cells)
}
