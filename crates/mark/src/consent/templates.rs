//! Faces on record, compared with one that is not, or with one another.

use crate::consent::{IDENTITY_LENGTH, Record, Standing, Template};
use crate::error::Error;

/// A consent that covers a face, and how alike the face is to the person who gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Covered {
    /// The consent.
    pub record: Record,
    /// Where it stands.
    pub standing: Standing,
    /// Cosine similarity between the face and the template.
    pub similarity: f32,
}

/// The identity templates of consents that were not taken back.
#[derive(Debug, Default)]
pub struct Templates {
    pub(super) usable: Vec<(Record, Standing, Template)>,
    /// What is wrong with records and templates that cannot be opened.
    pub unread: Vec<Error>,
}

impl Templates {
    /// Lists the consents that cover a face, most alike first, with those that no longer hold.
    pub fn covering(
        &self,
        face: &[f32; IDENTITY_LENGTH],
        similarity_at_least: f32,
    ) -> Vec<Covered> {
        let compared = self.usable.iter().map(|(record, standing, template)| {
            let similarity = template.similarity(face);
            (record, *standing, similarity)
        });
        let alike = compared.filter(|(_, _, similarity)| similarity_at_least <= *similarity);
        let mut covered: Vec<Covered> = alike
            .map(|(record, standing, similarity)| Covered {
                record: record.clone(),
                standing,
                similarity,
            })
            .collect();
        covered.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
        covered
    }

    /// The consents of other people than that of `record` whose faces are as alike to theirs.
    pub fn alike(&self, record: &Record, similarity_at_least: f32) -> Vec<&Record> {
        let of_record = |known: &&(Record, Standing, Template)| known.0.id == record.id;
        let Some((_, _, face)) = self.usable.iter().find(of_record) else {
            return Vec::new();
        };
        let name = record.subject.to_lowercase();
        let others = self.usable.iter().filter(|(known, _, template)| {
            known.subject.to_lowercase() != name
                && similarity_at_least <= template.similarity_between(face)
        });
        others.map(|(known, _, _)| known).collect()
    }
}
