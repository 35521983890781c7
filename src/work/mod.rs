//! Deeds: chain the stages, order the effects.
