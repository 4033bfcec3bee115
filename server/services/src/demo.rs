//! Demo content: one college, courses and six people with random passwords, so that a newcomer can try the product.

use domain::Result;

use crate::Services;

/// Login and password of each account that was made now; empty when the installation is not empty.
pub async fn seed(_services: &Services) -> Result<Vec<(String, String)>> {
    todo!()
}
