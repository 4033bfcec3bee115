//! Scopes of personal access tokens.

use serde::{Deserialize, Serialize};

/// A scope of a personal access token (L1). A token never allows more than its owner's roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    #[serde(rename = "offerings:read")]
    OfferingsRead,
    #[serde(rename = "orders:read")]
    OrdersRead,
    #[serde(rename = "orders:write")]
    OrdersWrite,
    #[serde(rename = "orders:decide")]
    OrdersDecide,
    #[serde(rename = "labs:read")]
    LabsRead,
    #[serde(rename = "labs:write")]
    LabsWrite,
    #[serde(rename = "usage:read")]
    UsageRead,
    #[serde(rename = "bills:read")]
    BillsRead,
    #[serde(rename = "quotas:read")]
    QuotasRead,
    #[serde(rename = "audit:read")]
    AuditRead,
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    pub const ALL: [Self; 11] = [
        Self::OfferingsRead,
        Self::OrdersRead,
        Self::OrdersWrite,
        Self::OrdersDecide,
        Self::LabsRead,
        Self::LabsWrite,
        Self::UsageRead,
        Self::BillsRead,
        Self::QuotasRead,
        Self::AuditRead,
        Self::Admin,
    ];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OfferingsRead => "offerings:read",
            Self::OrdersRead => "orders:read",
            Self::OrdersWrite => "orders:write",
            Self::OrdersDecide => "orders:decide",
            Self::LabsRead => "labs:read",
            Self::LabsWrite => "labs:write",
            Self::UsageRead => "usage:read",
            Self::BillsRead => "bills:read",
            Self::QuotasRead => "quotas:read",
            Self::AuditRead => "audit:read",
            Self::Admin => "admin",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}
