use domain::{
    Error, Problem,
    access::Scope,
    audit::Filter,
    courses::CourseForm,
    money::{Currency, Money},
    page::PageRequest,
};

use super::{create, list};
use crate::testing::{TestWorld, with_scopes};

fn form(code: &str) -> CourseForm {
    CourseForm { code: code.into(), name: "计算机视觉".into(), budget: "5000".into(), cards: "8".into(), ..CourseForm::default() }
}

#[tokio::test]
async fn an_administrator_makes_a_course_with_a_namespace_and_a_record() {
    let world = TestWorld::college().await;
    let administrator = world.administrator("root").await;
    let course = create(&world.services, &administrator, &form("CV2402")).await.expect("made");
    assert_eq!(course.namespace, "lectern-ai-cv2402");
    assert_eq!(course.settings.limits.cards.parts(), 8 * 840);
    assert_eq!(course.settings.budget, Money::units(5_000, Currency::Cny));
    assert_eq!(list(&world.services, &administrator).await.expect("listed"), [course.brief()]);

    let auditor = world.auditor("shen").await;
    let filter = Filter { action: Some("course.create".into()), ..Filter::default() };
    let page = crate::audit::search(&world.services, &auditor, &filter, &PageRequest::default()).await.expect("found");
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].event.course, Some(course.id));
    assert_eq!(page.items[0].event.object.label, "CV2402");
}

#[tokio::test]
async fn a_code_that_makes_the_same_namespace_is_taken() {
    let world = TestWorld::college().await;
    let administrator = world.administrator("root").await;
    create(&world.services, &administrator, &form("CV2402")).await.expect("made");
    for code in ["CV2402", "cv2402"] {
        let error = create(&world.services, &administrator, &form(code)).await.expect_err("taken");
        assert_eq!(error, Error::field("code", Problem::Taken), "{code}");
    }
}

#[tokio::test]
async fn teachers_see_their_own_courses_and_make_none() {
    let world = TestWorld::college().await;
    let mine = world.course("CV2402").add().await;
    world.course("NLP2401").add().await;
    let teacher = world.teacher("li.hua", &[&mine]).await;
    assert_eq!(list(&world.services, &teacher).await.expect("listed"), [mine.brief()]);
    assert_eq!(create(&world.services, &teacher, &form("ML1")).await.expect_err("refused"), Error::Forbidden);
    let narrow = with_scopes(&teacher, &[Scope::LabsRead]);
    assert_eq!(list(&world.services, &narrow).await.expect_err("refused"), Error::ScopeMissing { scope: "quotas:read".into() });
}
