//! Tables as text. Every list that Lectern reads goes through [`read`], every CSV file that it writes through [`line()`]: a list that was
//! exported reads back as it was.

mod read;
mod write;

pub use read::{Record, check_text, header, plain, read, tidy_header};
pub use write::{BYTE_ORDER_MARK, Cell, harmless, line, text_line};
