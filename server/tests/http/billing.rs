//! Bills by the pages and by the API: months, files, prices, adjustments, and what a day has cost.

use domain::money::{Currency, MAX_MICROS, MAX_UNITS, Money, parse_micros};
use serde_json::{Value, json};
use services::{Services, jobs};

use crate::support::{Portal, location};

/// Background work until there is none left.
async fn work(services: &Services) {
    for _ in 0..20 {
        jobs::watch::resync(services).await.unwrap();
        if jobs::reconcile::due(services).await.unwrap() == 0 {
            return;
        }
    }
}

/// A lab that has run for an hour, metered.
async fn an_hour(portal: &Portal, teacher: &crate::support::Api) -> String {
    let services = &portal.world.services;
    let body = json!({"offering": "jupyterlab-slice", "course": "CV2402", "duration_minutes": 90});
    let order = teacher.order("hour", &body).await;
    work(services).await;
    portal.world.clock.advance(3_600);
    jobs::metering::run(services).await.unwrap();
    order["labs"][0].as_str().expect("a lab").to_owned()
}

async fn post(api: &crate::support::Api, path: &str, body: &Value) -> (u16, Value) {
    let response = api.post(path).json(body).send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cost_estimate_has_exactly_the_agreed_shape() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    let empty = teacher.get("/cost-estimate").send().await.unwrap().text().await.unwrap();
    assert_eq!(empty, r#"{"current_cost":0.0,"currency":"CNY","next_billing_time":"2026-11-21T16:00:00Z"}"#);
    an_hour(&portal, &teacher).await;
    // A seventh of an A100, 4 cores, 16 GiB and a volume for an hour.
    let hour = teacher.get("/cost-estimate").send().await.unwrap().text().await.unwrap();
    assert_eq!(hour, r#"{"current_cost":1.16,"currency":"CNY","next_billing_time":"2026-11-21T16:00:00Z"}"#);
    let colleague = portal.api(&people.colleague).await.read("/cost-estimate").await;
    assert_eq!(colleague["current_cost"], 1.16, "teaches the same course");
    portal.world.clock.advance(24 * 3_600);
    let tomorrow = teacher.read("/cost-estimate").await;
    assert_eq!((tomorrow["current_cost"].as_f64(), tomorrow["next_billing_time"].as_str()), (Some(0.0), Some("2026-11-22T16:00:00Z")));
    assert_eq!(portal.api_without_token().get("/cost-estimate").send().await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bill_is_read_down_to_its_lines_and_groups() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    an_hour(&portal, &teacher).await;
    let bill = &teacher.read("/bills").await["items"][0];
    assert_eq!((bill["id"].as_str(), bill["state"].as_str()), (Some("2026-11_CV2402"), Some("open")));
    let lines = teacher.read("/bills/2026-11_CV2402/lines?limit=3").await;
    let rest = teacher.read(&format!("/bills/2026-11_CV2402/lines?after={}", lines["next"].as_str().unwrap())).await;
    let sum: i64 =
        [&lines, &rest].iter().flat_map(|page| page["items"].as_array().unwrap()).map(|line| line["amount"]["micros"].as_i64().unwrap()).sum();
    assert_eq!(bill["total"]["micros"].as_i64(), Some(sum));
    for (by, key) in [("course", "CV2402"), ("card", "a100-80g-1g.10gb")] {
        let groups = teacher.read(&format!("/usage?group_by={by}")).await;
        assert_eq!((groups["items"][0]["key"].as_str(), groups["items"][0]["amount"]["micros"].as_i64()), (Some(key), Some(sum)));
        assert_eq!(groups["items"][0]["card_seconds"], 3_600);
    }
    assert_eq!(teacher.get("/bills/2026-11_NLP/lines").send().await.unwrap().status(), 404);
    assert_eq!(teacher.get("/bills/november/lines").send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_discounts_and_adjustments_are_the_administrators() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (teacher, administrator) = (portal.api(&people.teacher).await, portal.api(&people.administrator).await);
    an_hour(&portal, &teacher).await;
    let price = json!({"meter": "cpu-core-hour", "price": "0.12", "quoted": "minute", "from": "2026-12-01"});
    assert_eq!(post(&teacher, "/prices", &price).await.0, 403);
    let (status, set) = post(&administrator, "/prices", &price).await;
    assert_eq!((status, set["unit_price"]["micros"].as_i64(), set["minute_price"]["micros"].as_i64()), (200, Some(7_200_000), Some(120_000)));
    let past = json!({"meter": "cpu-core-hour", "price": 1, "from": "2026-11-01"});
    let (status, refused) = post(&administrator, "/prices", &past).await;
    assert_eq!((status, refused["errors"][0]["code"].as_str()), (422, Some("already_metered")), "{refused}");
    let (status, preview) = post(&administrator, "/prices/preview", &json!({"meter": "cpu-core-hour", "price": 1})).await;
    assert_eq!((status, preview["month"].as_str(), preview["effects"].as_array().map(Vec::len)), (200, Some("2026-10"), Some(0)));
    let planned = json!({"meter": "cpu-core-hour", "from": "2026-11-30T16:00:00Z"});
    assert_eq!(post(&administrator, "/prices/withdraw", &planned).await.0, 204);
    assert_eq!(post(&administrator, "/prices/withdraw", &planned).await.0, 404);

    let (status, discount) = post(&administrator, "/discounts", &json!({"percent": 20, "reason": "Pilot term"})).await;
    assert_eq!((status, discount["basis_points"].as_i64()), (200, Some(2_000)));
    let (status, ended) = post(&administrator, &format!("/discounts/{}/end", discount["id"].as_str().unwrap()), &json!({})).await;
    assert_eq!((status, ended["to"].is_string()), (200, true));
    assert_eq!(administrator.read("/discounts").await["items"].as_array().unwrap().len(), 1);

    let credit = json!({"course": "CV2402", "kind": "credit", "amount": "0.16", "reason": "=1+1", "id": "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e"});
    for _ in 0..2 {
        assert_eq!(post(&administrator, "/adjustments", &credit).await.0, 200);
    }
    let adjustments = teacher.read("/adjustments").await;
    assert_eq!(adjustments["items"].as_array().unwrap().len(), 1, "sent twice, added once");
    let bill = teacher.read("/bills").await["items"][0].clone();
    assert_eq!(bill["adjustments"]["micros"], -160_000);

    let (status, running) = post(&administrator, "/bills/close", &json!({"month": "2026-11"})).await;
    assert_eq!((status, running["code"].as_str()), (409, Some("invalid_transition")));
    portal.world.clock.advance(20 * 24 * 3_600);
    jobs::metering::run(&portal.world.services).await.unwrap();
    assert_eq!(post(&teacher, "/bills/close", &json!({"month": "2026-11"})).await.0, 403);
    let (status, closed) = post(&administrator, "/bills/close", &json!({"month": "2026-11"})).await;
    assert_eq!((status, closed["items"][0]["state"].as_str()), (200, Some("closed")));
    assert_eq!(services::testing::recount::recount(&portal.world.services).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_leaves_as_csv_and_as_a_workbook_and_that_is_on_record() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    an_hour(&portal, &teacher).await;
    let administrator = portal.api(&people.administrator).await;
    post(&administrator, "/adjustments", &json!({"course": "CV2402", "kind": "charge", "amount": "2", "reason": "=HYPERLINK(1)"})).await;

    let browser = portal.browser_of(&people.manager).await;
    let answer = browser.page("/billing/export?month=2026-11&format=csv").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"lectern-2026-11.csv\"");
    let text = answer.text().await.unwrap();
    assert!(text.starts_with("\u{feff}Month,Course code,Course,"), "{}", &text[..60]);
    let amounts: f64 = text.lines().skip(1).map(|line| line.rsplit(',').nth(2).unwrap().parse::<f64>().unwrap()).sum();
    let bill = portal.api(&people.manager).await.read("/bills").await["items"][0]["total"]["micros"].as_i64().unwrap();
    assert_eq!(format!("{amounts:.6}"), format!("{}.{:06}", bill / 1_000_000, bill % 1_000_000));
    assert!(text.contains("'=HYPERLINK(1)"), "a formula is text: {text}");

    let chinese = browser.client.get(portal.url("/billing/export?format=csv")).header("accept-language", "zh-CN").send().await.unwrap();
    assert!(chinese.text().await.unwrap().contains("课程代码"));
    let workbook = teacher.get("/bills/export?course=CV2402&format=xlsx").send().await.unwrap();
    assert_eq!(workbook.headers()["content-disposition"], "attachment; filename=\"lectern-2026-11-CV2402.xlsx\"");
    assert!(workbook.bytes().await.unwrap().starts_with(b"PK"));
    assert_eq!(teacher.get("/bills/export?course=NLP").send().await.unwrap().status(), 404);
    assert_eq!(browser.page("/billing/export?format=ods").await.status(), 422);
    let operator = portal.browser_of(&people.operator).await;
    assert_eq!(operator.page("/billing/export?format=csv").await.status(), 403);
    let nobody = portal.browser().page("/billing/export?format=csv").await;
    assert_eq!((nobody.status().as_u16(), location(&nobody).starts_with("/sign-in")), (303, true));

    let auditor = portal.api(&people.auditor).await;
    let events = auditor.read("/audit/events?action=billing.export").await;
    assert_eq!(events["items"].as_array().unwrap().iter().filter(|event| event["outcome"] == "success").count(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_billing_reads_without_scripts() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    let lab = an_hour(&portal, &teacher).await;
    let administrator = portal.browser_of(&people.administrator).await;
    for (path, words) in [
        ("/billing".to_owned(), "Bill for November 2026"),
        ("/billing?by=person".to_owned(), "teacher"),
        ("/billing?by=card&key=a100-80g-1g.10gb".to_owned(), "Each line leads to its intervals"),
        ("/billing?course=CV2402".to_owned(), "slice-h"),
        ("/billing?month=2026-10".to_owned(), "Nothing billed this month"),
        (format!("/billing/labs/{lab}?month=2026-11"), "1 × 3,600\u{a0}s × ¥0.77 ÷ 3,600\u{a0}s"),
        ("/billing/months".to_owned(), "Running"),
        ("/billing/adjustments".to_owned(), "No adjustments"),
        ("/prices".to_owned(), "Change a price"),
        ("/prices?preview=price&meter=cpu-core-hour&price=0.12&quoted=minute".to_owned(), "¥0.12 a minute is ¥7.20 an hour"),
        ("/prices?preview=price&meter=cpu-core-hour&price=1&from=2026-11-01".to_owned(), "Usage is counted and billed up to"),
    ] {
        let answer = administrator.page(&path).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status == 200 && text.contains(words), "{path}: {status}, no {words:?}\n{text}");
    }
    assert_eq!(administrator.page("/billing?month=november").await.status(), 404);
    let colleague = portal.browser_of(&portal.world.teacher("wang", &[]).await).await;
    assert_eq!(colleague.page(&format!("/billing/labs/{lab}")).await.status(), 404);
    assert_eq!(colleague.page("/prices").await.status(), 403);

    let form = [("meter", "cpu-core-hour"), ("price", "0.08"), ("from", "2026-12-01")];
    let saved = administrator.form("/api/prices/set", "/prices", &form).send().await.unwrap();
    assert_eq!((saved.status().as_u16(), location(&saved)), (303, "/prices"));
    assert!(administrator.page("/prices").await.text().await.unwrap().contains("from 2026-12-01"));
    let adjustment = [("course", "CV2402"), ("kind", "credit"), ("amount", "x"), ("reason", "The cards were away")];
    let refused = administrator.form("/api/billing/adjust", "/billing/adjustments", &adjustment).send().await.unwrap();
    assert_eq!(location(&refused), "/billing/adjustments");
    let page = administrator.page("/billing/adjustments").await.text().await.unwrap();
    assert!(page.contains("The cards were away") && page.contains("for example 12.50"), "what was typed stays");
}

/// Cells of a line of CSV, quotes taken off.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                cells.last_mut().expect("a cell").push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut().expect("a cell").push(c),
        }
    }
    cells
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_leaves_in_the_columns_of_focus_and_sums_to_the_bill() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    an_hour(&portal, &teacher).await;
    let administrator = portal.api(&people.administrator).await;
    post(&administrator, "/adjustments", &json!({"course": "CV2402", "kind": "credit", "amount": "0.16", "reason": "Cards were away"})).await;
    post(&administrator, "/adjustments", &json!({"course": "CV2402", "kind": "charge", "amount": "2", "reason": "A disk"})).await;
    let manager = portal.api(&people.manager).await;
    let file = manager.get("/bills/export?format=focus").send().await.unwrap();
    assert_eq!(file.headers()["content-disposition"], "attachment; filename=\"lectern-2026-11-focus.csv\"");
    let text = file.text().await.unwrap();
    let mut lines = text.lines().map(cells);
    let heads = lines.next().expect("a heading");
    let rows: Vec<Vec<String>> = lines.collect();
    let column = |name: &str| heads.iter().position(|head| head == name).unwrap_or_else(|| panic!("{name} in {heads:?}"));
    let value = |row: &[String], name: &str| row[column(name)].clone();
    assert!(rows.iter().all(|row| row.len() == heads.len()), "{text}");
    let sum = |name: &str| rows.iter().map(|row| value(row, name).parse::<f64>().expect("a number")).sum::<f64>();
    let bill = manager.read("/bills").await["items"][0]["total"]["micros"].as_i64().unwrap();
    for cost in ["BilledCost", "EffectiveCost", "ContractedCost"] {
        assert_eq!(format!("{:.6}", sum(cost)), format!("{}.{:06}", bill / 1_000_000, bill % 1_000_000), "{cost}");
    }
    let cards = rows.iter().find(|row| value(row, "SkuId") == "gpu-a100-80g-1g.10gb-hour").expect("the cards");
    let of = |names: &[&str]| names.iter().map(|name| value(cards, name)).collect::<Vec<_>>();
    assert_eq!(of(&["ChargeCategory", "PricingQuantity", "PricingUnit", "ListUnitPrice"]), ["Usage", "1", "GPU-Hours", "0.77"]);
    assert_eq!(of(&["BillingPeriodStart", "BillingPeriodEnd"]), ["2026-10-31T16:00:00Z", "2026-11-30T16:00:00Z"]);
    assert_eq!(of(&["SubAccountId", "ResourceType", "ServiceCategory", "BillingCurrency"]), ["CV2402", "Lab", "Compute", "CNY"]);
    let tags: Value = serde_json::from_str(&value(cards, "Tags")).expect("JSON");
    assert_eq!(tags["lectern:owner"], "teacher");
    let categories: Vec<_> = rows.iter().map(|row| value(row, "ChargeCategory")).filter(|category| category != "Usage").collect();
    assert_eq!(categories.iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), ["Adjustment", "Credit"].into());
}

fn has(file: &[u8], text: &[u8]) -> bool {
    file.windows(text.len()).any(|window| window == text)
}

/// Text of a PDF that is not ASCII is in hexadecimal: Chinese as UTF-16, the yen sign as one byte.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat()
}

/// An amount in yuan as a PDF contains it. `amount`: without the sign.
fn yen(amount: &str) -> String {
    format!("<{}>", hexadecimal(&[&[0xa5], amount.as_bytes()].concat()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_leaves_as_a_pdf_in_both_languages() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    an_hour(&portal, &teacher).await;
    let administrator = portal.api(&people.administrator).await;
    post(&administrator, "/adjustments", &json!({"course": "CV2402", "kind": "charge", "amount": "2000", "reason": "换了一块硬盘"})).await;
    let browser = portal.browser_of(&people.manager).await;
    let chinese = |text: &str| format!("<{}>", hexadecimal(&text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>()));
    for (language, words) in [("en", "(Total)".to_owned()), ("zh-CN", chinese("合计"))] {
        let answer = browser.client.get(portal.url("/billing/export?format=pdf")).header("accept-language", language).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/pdf");
        assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"lectern-2026-11.pdf\"");
        let file = answer.bytes().await.unwrap();
        assert!(file.starts_with(b"%PDF-1.") && has(&file, b"/Count 1") && has(&file, b"(1 / 1)"), "{language}");
        // An hour costs 1.16, and with the charge 2,001.16.
        assert!(has(&file, words.as_bytes()) && has(&file, yen("2,001.16").as_bytes()), "{language}: {}", String::from_utf8_lossy(&file));
        assert!(has(&file, chinese("换了一块硬盘").as_bytes()), "{language}: the reason as it was typed");
    }
    let course = teacher.get("/bills/export?course=CV2402").header("accept", "application/pdf").send().await.unwrap();
    assert_eq!(course.headers()["content-disposition"], "attachment; filename=\"lectern-2026-11-CV2402.pdf\"");
    let file = course.bytes().await.unwrap();
    assert!(has(&file, b"slice-h"), "the lines of the one course");
    let auditor = portal.api(&people.auditor).await;
    let events = auditor.read("/audit/events?action=billing.export").await;
    assert_eq!(events["items"][0]["after"]["format"], "pdf");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bill_with_two_adjustments_of_the_largest_amount_is_read_everywhere() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    an_hour(&portal, &teacher).await;
    let usage = teacher.read("/bills").await["items"][0]["total"]["micros"].as_i64().unwrap();
    let administrator = portal.api(&people.administrator).await;
    for reason in ["A cluster", "Another cluster"] {
        let charge = json!({"course": "CV2402", "kind": "charge", "amount": MAX_UNITS.to_string(), "reason": reason});
        let (status, added) = post(&administrator, "/adjustments", &charge).await;
        assert_eq!(status, 200, "{added}");
    }
    let bill = teacher.read("/bills").await["items"][0].clone();
    let total = usage + 2 * MAX_MICROS;
    assert_eq!((bill["adjustments"]["micros"].as_i64(), bill["total"]["micros"].as_i64()), (Some(2 * MAX_MICROS), Some(total)));
    assert_eq!(teacher.read("/adjustments").await["items"].as_array().unwrap().len(), 2);

    let browser = portal.browser_of(&people.administrator).await;
    let shown = Money::new(total, Currency::Cny).to_string();
    let one = Money::units(MAX_UNITS, Currency::Cny).to_string();
    for (path, amount) in [
        ("/billing", &shown),
        ("/billing?course=CV2402", &shown),
        ("/billing?by=person", &shown),
        ("/billing?by=card", &shown),
        ("/billing/months", &shown),
        ("/billing/adjustments", &one),
    ] {
        let answer = browser.page(path).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status == 200 && text.contains(amount.as_str()), "{path}: {status}, no {amount}\n{text}");
    }

    let csv = browser.page("/billing/export?month=2026-11&format=csv").await;
    assert_eq!(csv.status(), 200);
    let csv = csv.text().await.unwrap();
    let amounts = csv.lines().skip(1).map(|line| parse_micros(line.rsplit(',').nth(2).unwrap()).unwrap());
    assert_eq!(amounts.sum::<i64>(), total, "{csv}");
    let pdf = browser.page("/billing/export?month=2026-11&format=pdf").await;
    assert_eq!(pdf.status(), 200);
    let pdf = pdf.bytes().await.unwrap();
    for amount in [&shown, &one] {
        let amount = yen(amount.trim_start_matches('¥'));
        assert!(has(&pdf, amount.as_bytes()), "no {amount}: {}", String::from_utf8_lossy(&pdf));
    }
    for format in ["xlsx", "focus"] {
        assert_eq!(browser.page(&format!("/billing/export?month=2026-11&format={format}")).await.status(), 200, "{format}");
    }
    assert_eq!(services::testing::recount::recount(&portal.world.services).await, []);
}
