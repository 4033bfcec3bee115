//! Who takes a course, in the order of the list that was typed.

use domain::{ids::CourseId, roster::Student};
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// All of a course, in order.
pub async fn of_course(connection: &mut AnyConnection, course: CourseId) -> Result<Vec<Student>> {
    let rows = sqlx::query("SELECT number, name FROM course_students WHERE course_id = $1 ORDER BY position")
        .bind(course.to_string())
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("course_students", row);
            Ok(Student { number: row.text("number")?, name: row.text("name")? })
        })
        .collect()
}

/// Replaces the roster. Two statements, for at most [`domain::roster::STUDENTS_MAX`] students.
///
/// Errors: `NotUnique` for a number that stands there twice.
pub async fn replace(connection: &mut AnyConnection, course: CourseId, students: &[Student]) -> Result<()> {
    sqlx::query("DELETE FROM course_students WHERE course_id = $1").bind(course.to_string()).execute(&mut *connection).await?;
    if students.is_empty() {
        return Ok(());
    }
    let values: Vec<_> = (0..students.len()).map(|at| format!("($1, ${}, ${}, ${})", 3 * at + 2, 3 * at + 3, 3 * at + 4)).collect();
    let sql = format!("INSERT INTO course_students (course_id, position, number, name) VALUES {}", values.join(", "));
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(course.to_string());
    for (position, Student { number, name }) in (1_i64..).zip(students) {
        query = query.bind(position).bind(number.clone()).bind(name.clone());
    }
    query.execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::roster::{STUDENTS_MAX, Student};

    use crate::{
        orders::tests::ground::{course, ground, now, tenant},
        quotas,
        testing::for_each_engine,
    };

    #[tokio::test]
    async fn a_roster_comes_back_in_its_order_and_is_counted() {
        for_each_engine("a_roster_comes_back_in_its_order_and_is_counted", async |test| {
            let mut write = ground(&test).await;
            let student = |number: u32| Student { number: format!("24{number:03}"), name: "示范学生".into() };
            for roster in [vec![student(2), student(1)], (0..STUDENTS_MAX).rev().map(student).collect(), vec![]] {
                super::replace(&mut write, course(), &roster).await.expect("written");
                assert_eq!(super::of_course(&mut write, course()).await.expect("read"), roster);
                let quota = quotas::of_course(&mut write, course(), now()).await.expect("read").expect("there");
                assert_eq!(quota.students as usize, roster.len());
            }
            assert_eq!(quotas::of_tenant(&mut write, tenant(), now()).await.expect("read")[0].students, 0);
            let twice = super::replace(&mut write, course(), &[student(1), student(1)]).await.expect_err("one number is one student");
            assert!(twice.is_not_unique("course_students", "course_id"), "{twice:?}");
        })
        .await;
    }
}
