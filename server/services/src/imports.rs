//! Lists of people and courses (A7): looked at first, mended where they are wrong, then taken over by a background job row by row.
//! Reading rows against what is there is in `imports/check.rs`, what they would change in `imports/changes.rs`, taking them over in `imports/run.rs`.

mod changes;
mod check;
mod decode;
mod run;

pub use decode::decode;
pub use run::run;

use domain::{
    Error, Result,
    access::{Action, Resource},
    csv::{self, BYTE_ORDER_MARK, Cell},
    ids::ImportId,
    imports::{self, Cells, Counts, Import, ImportKind, ImportRow, ImportState, RowResult, Verdict},
    names,
    page::{Page, PageRequest, read_cursor, write_cursor},
    people::{LinkKind, PersonRef},
};
use serde_json::json;
use storage::{accounts::roles, imports as table};

use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
    notifications::Told,
    people::{links, readers},
    reading,
};

/// Reads a list and says what each row would do; nothing is taken over yet.
///
/// Errors: `Forbidden`; `Invalid` on `list`.
pub async fn preview(services: &Services, caller: &Caller, kind: ImportKind, file_name: &str, text: &str) -> Result<Import> {
    let file_name = shown_name(file_name);
    let entry = || Entry::new("import.preview", "import", "", file_name.as_str());
    audit::recording(services, caller, entry, async {
        may(caller, kind)?;
        if text.contains('\0') {
            return Err(Error::Malformed { reason: "a text holds the character NUL, which no text may hold".into() });
        }
        let list = text.to_owned();
        let cells = reading::apart(move || imports::csv::read(kind, &list)).await?;
        let rows = {
            let mut connection = services.db.read().await.or_domain()?;
            check::rows(services, &mut connection, caller.actor.tenant, kind, &cells).await?
        };
        let import = Import {
            id: ImportId::from_uuid(services.entropy.uuid()),
            kind,
            file_name: file_name.clone(),
            state: ImportState::Preview,
            by: PersonRef { id: caller.actor.user, login: caller.actor.login.clone(), name: caller.actor.name.clone() },
            created_at: services.clock.now(),
            finished_at: None,
            links_at: None,
            counts: count(&rows),
        };
        let mut write = services.db.begin_write().await.or_domain()?;
        table::insert(&mut write, caller.actor.tenant, &import).await.or_domain()?;
        table::insert_rows(&mut write, import.id, &rows).await.or_domain()?;
        let after = json!({"kind": kind, "rows": import.counts.all(), "errors": import.counts.error});
        audit::success(services, &mut write, caller, about(&import, "import.preview").after(after)).await?;
        write.commit().await.or_domain()?;
        Ok(import)
    })
    .await
}

/// The name of a file as it is shown: by the rule for names, cut and cleaned rather than refused, since nobody typed it.
fn shown_name(file_name: &str) -> String {
    let cut: String = names::shown(file_name).trim().chars().take(100).collect();
    names::check(&cut, 100).unwrap_or_default()
}

fn count(rows: &[ImportRow]) -> Counts {
    rows.iter().fold(Counts::default(), |mut counts, row| {
        match row.verdict {
            Verdict::New => counts.new += 1,
            Verdict::Change => counts.change += 1,
            Verdict::Unchanged => counts.unchanged += 1,
            Verdict::Error => counts.error += 1,
        }
        counts
    })
}

/// Lists of the college, newest first. Errors: `Forbidden`; `Invalid` on `limit`, `after`.
pub async fn list(services: &Services, caller: &Caller, page: &PageRequest) -> Result<Page<Import>> {
    let entry = || Entry::new("import.read", "import", "", "");
    audit::recording(services, caller, entry, async {
        may(caller, ImportKind::People)?;
        let rows = page.rows()?;
        let after = page.cursor(|text| read_cursor("imports", text))?;
        let mut connection = services.db.read().await.or_domain()?;
        let read = table::list(&mut connection, caller.actor.tenant, after, rows).await.or_domain()?;
        Ok(page.page(read, |last| write_cursor("imports", &last.id)))
    })
    .await
}

/// A list and a page of its rows, of one verdict when given; rows that wait say what they would change. Errors: `Forbidden`; `NotFound`; `Invalid` on `limit`, `after`.
pub async fn get(
    services: &Services,
    caller: &Caller,
    id: ImportId,
    verdict: Option<Verdict>,
    page: &PageRequest,
) -> Result<(Import, Page<ImportRow>)> {
    let entry = || Entry::new("import.read", "import", id, "");
    audit::recording(services, caller, entry, async {
        let rows = page.rows()?;
        let after = page.cursor(|text| read_cursor("rows", text))?.unwrap_or(0);
        let mut connection = services.db.read().await.or_domain()?;
        let import = load(&mut connection, caller, id).await?;
        let mut read = table::rows(&mut connection, id, verdict, after, rows).await.or_domain()?;
        check::fill_changes(services, &mut connection, caller.actor.tenant, import.kind, &mut read).await?;
        Ok((import, page.page(read, |last| write_cursor("rows", &last.number))))
    })
    .await
}

/// A row as it is typed anew; it is looked at again, alone. Rows that are done cannot be changed.
///
/// Errors: `Forbidden`; `NotFound`; `InvalidTransition` while the list runs or for a row that is done.
pub async fn mend(services: &Services, caller: &Caller, id: ImportId, number: u32, cells: &Cells) -> Result<ImportRow> {
    let entry = || Entry::new("import.mend", "import", id, "");
    audit::recording(services, caller, entry, async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let import = load(&mut write, caller, id).await?;
        let row = table::rows(&mut write, id, None, number.saturating_sub(1), 1).await.or_domain()?.pop();
        let row = row.filter(|row| row.number == number).ok_or(Error::NotFound)?;
        if import.state == ImportState::Running || row.result == Some(RowResult::Done) {
            return Err(Error::InvalidTransition { state: import.state.as_str().into(), event: "mend".into() });
        }
        let known = |field: &String| import.kind.columns().iter().any(|column| column.field == field);
        let cells: Cells = cells
            .iter()
            .filter(|(field, text)| known(field) && !text.trim().is_empty())
            .map(|(field, text)| (field.clone(), text.trim().chars().take(500).collect()))
            .collect();
        let [checked] =
            <[_; 1]>::try_from(check::rows(services, &mut write, caller.actor.tenant, import.kind, &[cells]).await?).map_err(|_| Error::NotFound)?;
        let before = row.cells;
        let row = ImportRow { number, ..checked };
        table::set_row(&mut write, id, &row, caller.actor.user).await.or_domain()?;
        let tracked = |cells: &Cells| json!({ "row": number, "cells": cells });
        let entry = about(&import, "import.mend").before(tracked(&before)).after(tracked(&row.cells));
        audit::success(services, &mut write, caller, entry).await?;
        write.commit().await.or_domain()?;
        Ok(row)
    })
    .await
}

/// Has the rows that are good taken over in the background, in the name of the caller. Starting again takes what was mended since.
///
/// Errors: `Forbidden`; `NotFound`; `InvalidTransition` when it runs, or nothing waits.
pub async fn start(services: &Services, caller: &Caller, id: ImportId) -> Result<Import> {
    let entry = || Entry::new("import.start", "import", id, "");
    audit::recording(services, caller, entry, async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let mut import = load(&mut write, caller, id).await?;
        if import.state == ImportState::Running || import.counts.waiting() == 0 {
            return Err(Error::InvalidTransition { state: import.state.as_str().into(), event: "start".into() });
        }
        import.state = ImportState::Running;
        table::start(&mut write, id, caller.actor.user).await.or_domain()?;
        audit::success(services, &mut write, caller, about(&import, "import.start").after(json!({"rows": import.counts.waiting()}))).await?;
        write.commit().await.or_domain()?;
        Ok(import)
    })
    .await
}

/// Each row with what came of it, as a list that spreadsheets open. `word` words a verdict, result or problem for the reader.
///
/// Errors: `Forbidden`; `NotFound`.
pub async fn result_list(
    services: &Services,
    caller: &Caller,
    id: ImportId,
    chinese: bool,
    word: impl Fn(&ImportRow) -> [String; 2],
) -> Result<String> {
    let (import, rows) = {
        let mut connection = services.db.read().await.or_domain()?;
        let import = load(&mut connection, caller, id).await?;
        (import, table::rows(&mut connection, id, None, 0, domain::imports::MAX_ROWS).await.or_domain()?)
    };
    let columns = import.kind.columns();
    let [row, result, problem] = if chinese { ["行", "结果", "要改的"] } else { ["row", "result", "to mend"] };
    let names = columns.iter().map(|column| if chinese { column.zh } else { column.en });
    let mut text = format!("{BYTE_ORDER_MARK}{}", csv::text_line([row].into_iter().chain(names).chain([result, problem])));
    for row in &rows {
        let [result, problem] = word(row);
        let cells = columns.iter().map(|column| row.cells.get(column.field).map_or("", String::as_str));
        let number = [Cell::plain(row.number.to_string())];
        text.push_str(&csv::line(number.into_iter().chain(cells.chain([result.as_str(), problem.as_str()]).map(Cell::text))));
    }
    Ok(text)
}

/// A link for everybody whom the list made and who has no password yet, as a list; only once. `base`: what stands before the path.
///
/// Errors: `Forbidden`; `NotFound`; `InvalidTransition` when they were taken before, or there are none.
pub async fn link_list(services: &Services, caller: &Caller, id: ImportId, chinese: bool, base: &str) -> Result<String> {
    let entry = || Entry::new("import.links", "import", id, "");
    audit::recording(services, caller, entry, async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let import = load(&mut write, caller, id).await?;
        let people = table::unlinked(&mut write, id).await.or_domain()?;
        if people.is_empty() || !table::take_links(&mut write, id, services.clock.now()).await.or_domain()? {
            return Err(Error::InvalidTransition { state: "taken".into(), event: "links".into() });
        }
        let header = if chinese {
            ["账号", "姓名", "一次性链接（7 天内有效）"]
        } else {
            ["account", "name", "one-time link (good for 7 days)"]
        };
        let mut text = format!("{BYTE_ORDER_MARK}{}", csv::text_line(header));
        let held = roles::of_people(&mut write, &people.iter().map(|(user, ..)| *user).collect()).await.or_domain()?;
        let mut told = Told::default();
        // Two statements a person, a thousand people at most, once.
        for (user, login, name) in &people {
            let link = links::issue(services, &mut write, *user, LinkKind::Invite).await?;
            if let Some((college, posts)) = held.get(user) {
                let person = PersonRef { id: *user, login: login.clone(), name: name.clone() };
                told = told.and(readers::link_made(services, &mut write, caller, &person, college, posts).await?);
            }
            text.push_str(&csv::text_line([login.as_str(), name.as_str(), &format!("{base}{}", link.path())]));
        }
        audit::success(services, &mut write, caller, about(&import, "import.links").after(json!({"people": people.len(), "links": "***"}))).await?;
        write.commit().await.or_domain()?;
        told.tell(services);
        Ok(text)
    })
    .await
}

/// Errors: `Forbidden`; `NotFound`, also for another college's.
async fn load(connection: &mut storage::AnyConnection, caller: &Caller, id: ImportId) -> Result<Import> {
    may(caller, ImportKind::People)?;
    let stored = table::by_id(connection, id).await.or_domain()?;
    Ok(stored.filter(|stored| stored.tenant == caller.actor.tenant).ok_or(Error::NotFound)?.import)
}

/// Whether the caller may read in such a list; asked before its file is decoded. Errors: `Forbidden`, `ScopeMissing`.
pub async fn allowed(services: &Services, caller: &Caller, kind: ImportKind) -> Result<()> {
    audit::recording(services, caller, || Entry::new("import.preview", "import", "", ""), async { may(caller, kind) }).await
}

/// Both are the administrator's; a list of courses also names people.
fn may(caller: &Caller, kind: ImportKind) -> Result<()> {
    let on = Resource::tenant(caller.actor.tenant);
    caller.actor.can(Action::PeopleWrite, &on)?;
    match kind {
        ImportKind::People => Ok(()),
        ImportKind::Courses => caller.actor.can(Action::CourseWrite, &on),
    }
}

fn about(import: &Import, action: &str) -> Entry {
    Entry::new(action, "import", import.id, import.file_name.as_str())
}

#[cfg(test)]
mod tests;
