//! FOCUS 1.2, the `FinOps` Foundation's column set for costs and usage: one row for each interval, then the adjustments. For programs, so its
//! names are English in every language and its instants are UTC. Columns that mean nothing here (commitments, capacity reservations) are
//! those that the specification asks for only where there is such a thing.

use app::billing::{file_words::FileWords, words::meter_text};
use bytes::Bytes;
use domain::{
    Result,
    billing::{Adjustment, AdjustmentKind},
    csv::{Cell, line as csv_line, text_line},
    ids::LabId,
    pricing::{Meter, Rate},
    time::Timestamp,
};
use futures::Stream;
use serde_json::json;
use services::{Services, billing::Export};
use storage::usage::ExportRow;

use super::{
    csv::{Columns, file, reason},
    decimal,
};

/// In the order of the specification. A column here is a field of [`Charge`].
const COLUMNS: [&str; 44] = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingCurrency",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
];

/// The fields in which rows differ; empty texts are nulls.
#[derive(Debug, Default)]
struct Charge {
    cost: i64,
    currency: &'static str,
    category: &'static str,
    class: &'static str,
    description: String,
    frequency: &'static str,
    period: Option<(Timestamp, Timestamp)>,
    quantity: String,
    unit: &'static str,
    contracted_price: String,
    list_cost: i64,
    list_price: String,
    pricing: &'static str,
    resource: Option<(LabId, String)>,
    service: (&'static str, &'static str),
    sku: String,
    sku_meter: String,
    sku_price: String,
    course: (String, String),
    tags: String,
}

pub fn stream(services: Services, export: Export, words: &FileWords) -> impl Stream<Item = Result<Bytes>> + Send + use<> {
    let columns = Columns {
        head: |_| text_line(COLUMNS),
        interval: |words, export, each| line(export, usage(words, each)),
        adjustment: |words, export, each| line(export, adjusted(words, each)),
    };
    file(services, export, words, columns)
}

fn usage(words: &FileWords, each: &ExportRow) -> Charge {
    let line = &each.line;
    let discounted = i128::from(line.unit_price.micros) * i128::from(line.discount.rest());
    let list = Rate { unit_price: line.unit_price, discount: domain::pricing::BasisPoints::NONE };
    let tags = json!({
        "lectern:card": each.line.card.id(),
        "lectern:offering": each.offering.en,
        "lectern:owner": each.owner_login,
    });
    Charge {
        cost: line.amount.micros,
        currency: line.amount.currency.code(),
        category: "Usage",
        description: format!("{} · {}", meter_text(words.language, line.meter), each.lab_name),
        frequency: "Usage-Based",
        period: Some((line.from, line.to)),
        quantity: fraction(i128::from(line.quantity) * i128::from(line.seconds), i128::from(line.meter.unit_seconds())),
        unit: unit(line.meter),
        contracted_price: fraction(discounted, 10_000 * 1_000_000),
        list_cost: list.amount(line.meter, line.quantity, line.seconds).micros,
        list_price: decimal(line.unit_price.micros),
        pricing: "Standard",
        resource: Some((each.lab, each.lab_name.clone())),
        service: service(line.meter),
        sku: line.meter.to_string(),
        sku_meter: meter_text(words.language, line.meter).to_owned(),
        sku_price: format!("{}@{}", line.meter, decimal(line.unit_price.micros)),
        course: (each.course_code.clone(), each.course_name.clone()),
        tags: tags.to_string(),
        ..Charge::default()
    }
}

fn adjusted(words: &FileWords, each: &Adjustment) -> Charge {
    // Late usage of a month that was billed is usage, corrected; what somebody gave or asked for stands by itself.
    let (category, class, frequency) = match each.kind {
        AdjustmentKind::Credit => ("Credit", "", "One-Time"),
        AdjustmentKind::Charge => ("Adjustment", "", "One-Time"),
        AdjustmentKind::Correction => ("Usage", "Correction", "Usage-Based"),
    };
    Charge {
        cost: each.amount.micros,
        currency: each.amount.currency.code(),
        category,
        class,
        description: reason(words, each),
        frequency,
        list_cost: each.amount.micros,
        resource: each.lab.clone(),
        service: ("Other", "Other (Other)"),
        course: (each.course.code.clone(), each.course.name.clone()),
        tags: "{}".into(),
        ..Charge::default()
    }
}

fn line(export: &Export, charge: Charge) -> String {
    let Charge {
        cost,
        currency,
        category,
        class,
        description,
        frequency,
        period,
        quantity,
        unit,
        contracted_price,
        list_cost,
        list_price,
        pricing,
        resource,
        service: (service_category, subcategory),
        sku,
        sku_meter,
        sku_price,
        course: (course_code, course_name),
        tags,
    } = charge;
    let (begin, end) = (export.month.start(), export.month.end());
    let (from, to) = period.unwrap_or((begin, end));
    let (resource, resource_name) = resource.map_or_else(Default::default, |(id, name)| (id.to_string(), name));
    let college = export.college.name.as_str();
    let resource_type = if resource.is_empty() { "" } else { "Lab" };
    // An open bill is no invoice yet.
    let invoice = if export.closed { domain::billing::bill_id(export.month, &course_code) } else { String::new() };
    let cells: [Cell<'_>; 44] = [
        Cell::plain(decimal(cost)),
        Cell::plain(export.college.id.to_string()),
        Cell::text(college),
        Cell::plain("College"),
        Cell::plain(currency),
        Cell::plain(end.to_rfc3339()),
        Cell::plain(begin.to_rfc3339()),
        Cell::plain(category),
        Cell::plain(class),
        Cell::text(description),
        Cell::plain(frequency),
        Cell::plain(to.to_rfc3339()),
        Cell::plain(from.to_rfc3339()),
        Cell::plain(quantity.clone()),
        Cell::plain(unit),
        Cell::plain(decimal(cost)),
        Cell::plain(contracted_price),
        Cell::plain(decimal(cost)),
        Cell::text(invoice),
        Cell::text(college),
        Cell::plain(decimal(list_cost)),
        Cell::plain(list_price),
        Cell::plain(pricing),
        Cell::plain(currency),
        Cell::plain(quantity),
        Cell::plain(unit),
        Cell::text(college),
        Cell::plain("Lectern"),
        Cell::plain("campus"),
        Cell::plain("Campus"),
        Cell::plain(resource),
        Cell::text(resource_name),
        Cell::plain(resource_type),
        Cell::plain(service_category),
        Cell::plain("Lectern labs"),
        Cell::plain(subcategory),
        Cell::plain(sku),
        Cell::plain(sku_meter),
        Cell::plain(""),
        Cell::plain(sku_price),
        Cell::text(course_code),
        Cell::text(course_name),
        Cell::plain("Course"),
        Cell::text(tags),
    ];
    csv_line(cells)
}

/// Unit names as the specification writes them.
const fn unit(meter: Meter) -> &'static str {
    match meter {
        Meter::CardHour(_) => "GPU-Hours",
        Meter::CpuCoreHour => "Core-Hours",
        Meter::MemoryGibHour => "GiB-Hours",
        Meter::StorageGibMonth | Meter::HddGibMonth | Meter::ObjectGibMonth => "GiB-Months",
    }
}

/// Category and subcategory, of the specification's own lists.
const fn service(meter: Meter) -> (&'static str, &'static str) {
    match meter {
        Meter::CardHour(_) | Meter::CpuCoreHour | Meter::MemoryGibHour => ("Compute", "Containers"),
        Meter::StorageGibMonth | Meter::HddGibMonth => ("Storage", "Block Storage"),
        Meter::ObjectGibMonth => ("Storage", "Object Storage"),
    }
}

/// `part / whole` as a plain decimal number with ten places at most, rounded half up. Nothing negative is metered.
fn fraction(part: i128, whole: i128) -> String {
    const SCALE: i128 = 10_000_000_000;
    let scaled = (part.max(0) * SCALE + whole / 2) / whole.max(1);
    if scaled % SCALE == 0 {
        return (scaled / SCALE).to_string();
    }
    format!("{}.{}", scaled / SCALE, format!("{:010}", scaled % SCALE).trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn columns_are_those_that_must_be_there_each_once() {
        let columns: BTreeSet<_> = COLUMNS.into_iter().collect();
        assert_eq!(columns.len(), COLUMNS.len());
        for mandatory in [
            "BilledCost",
            "BillingAccountId",
            "BillingAccountName",
            "BillingCurrency",
            "BillingPeriodEnd",
            "BillingPeriodStart",
            "ChargeCategory",
            "ChargeClass",
            "ChargeDescription",
            "ChargePeriodEnd",
            "ChargePeriodStart",
            "ContractedCost",
            "EffectiveCost",
            "InvoiceIssuerName",
            "ListCost",
            "PricingQuantity",
            "PricingUnit",
            "ProviderName",
            "PublisherName",
            "ServiceCategory",
            "ServiceName",
        ] {
            assert!(columns.contains(mandatory), "{mandatory}");
        }
    }

    #[test]
    fn quantities_are_plain_numbers() {
        assert_eq!([fraction(3_600, 3_600), fraction(1, 3), fraction(5_400, 3_600)], ["1", "0.3333333333", "1.5"]);
        assert_eq!(fraction(5_400_000 * 8_000, 10_000 * 1_000_000), "4.32");
    }
}
