//! Prices (E4): what is metered, dated unit prices with discounts, and the one function that rates usage and estimates alike.

mod book;
mod discount;
mod estimate;
mod forms;
mod list;
mod meter;
mod rate;

pub use book::{Books, Price, PriceBook, Quoted};
pub use discount::{BasisPoints, Discount};
pub use estimate::{Estimate, EstimateLine};
pub(crate) use forms::reason;
pub use forms::{DiscountForm, NewDiscount, PriceForm};
pub use list::{PriceList, PricePreview};
pub use meter::{Meter, UnknownMeter, kept_meters, running_meters};
pub use rate::{Piece, Rate, amount};
