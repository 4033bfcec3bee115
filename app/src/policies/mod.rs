//! Approval rules: the list with its dry run, and the editor of one rule. Every form is a plain one.

pub mod api;
pub mod dry_run;
pub mod page;
pub mod rule_form;
pub mod rules;
pub mod words;
