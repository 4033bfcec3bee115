//! What submitting would do, without doing it.

use domain::{
    Result,
    orders::{OrderForm, Preview},
};

use crate::{Caller, Services};

pub async fn preview(_services: &Services, _caller: &Caller, _form: &OrderForm) -> Result<Preview> {
    todo!()
}
