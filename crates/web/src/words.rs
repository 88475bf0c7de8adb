//! The words of the pages, as data: `words/en.ftl` and `words/de.ftl`.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

/// Each language and its words; the first is for those who speak none of them.
const LANGUAGES: [(&str, &str); 2] = [
    ("en", include_str!("../words/en.ftl")),
    ("de", include_str!("../words/de.ftl")),
];

/// The words of every language.
pub(crate) struct Library(Vec<Words>);

/// The words of one language.
pub(crate) struct Words {
    language: &'static str,
    bundle: FluentBundle<FluentResource>,
}

impl Library {
    pub(crate) fn new() -> Self {
        let words = LANGUAGES.map(|(language, text)| {
            let id: LanguageIdentifier = language.parse().unwrap_or_default();
            let mut bundle = FluentBundle::new_concurrent(vec![id]);
            bundle.set_use_isolating(false);
            // The tests see to it that there are no errors.
            let resource = FluentResource::try_new(text.to_owned());
            bundle.add_resource_overriding(resource.unwrap_or_else(|(good, _)| good));
            Words { language, bundle }
        });
        Self(words.into())
    }

    /// The language that a browser likes most among ours: they name the best first.
    pub(crate) fn of(&self, headers: &HeaderMap) -> &Words {
        let liked = headers
            .get(ACCEPT_LANGUAGE)
            .and_then(|liked| liked.to_str().ok());
        let liked = liked.unwrap_or_default().split(',');
        let mut known = liked.filter_map(|tag| {
            let tag = tag.split([';', '-']).next()?.trim().to_ascii_lowercase();
            self.0.iter().find(|words| words.language == tag)
        });
        known.next().unwrap_or(&self.0[0])
    }
}

impl Words {
    pub(crate) fn language(&self) -> &'static str {
        self.language
    }

    /// The words of this name.
    pub(crate) fn say(&self, name: &str) -> String {
        self.fill(name, &[])
    }

    /// The words of this name, with what is said in them.
    pub(crate) fn fill(&self, name: &str, values: &[(&'static str, String)]) -> String {
        let Some(pattern) = self
            .bundle
            .get_message(name)
            .and_then(|found| found.value())
        else {
            return name.to_owned();
        };
        let mut arguments = FluentArgs::new();
        for (key, value) in values {
            arguments.set(*key, FluentValue::from(value.as_str()));
        }
        let mut errors = Vec::new();
        let said = self
            .bundle
            .format_pattern(pattern, Some(&arguments), &mut errors);
        said.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn names(text: &str) -> BTreeSet<&str> {
        text.lines()
            .filter_map(|line| line.split_once(" = "))
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn every_language_has_the_same_words_without_errors() {
        for (language, text) in LANGUAGES {
            assert!(
                FluentResource::try_new(text.to_owned()).is_ok(),
                "{language}"
            );
            assert_eq!(names(text), names(LANGUAGES[0].1), "{language}");
        }
    }

    #[test]
    fn the_language_that_is_liked_most_is_spoken() {
        let library = Library::new();
        for (liked, wanted) in [
            ("de-AT,de;q=0.9,en;q=0.5", "de"),
            ("fr, en;q=0.8, de;q=0.2", "en"),
            ("", "en"),
            ("xx", "en"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, liked.parse().unwrap());
            assert_eq!(library.of(&headers).say("lang"), wanted, "{liked}");
        }
    }
}
