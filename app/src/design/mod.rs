//! Every component in every state on one page, to look at while building. Only with the feature `design`: what is shipped
//! has no such page. A new component gets a specimen in the file of its group.

mod actions;
mod figures;
mod forms;
mod messages;
pub mod page;
mod records;
mod specimen;
