//! The gradients of a network's weights as plain lists, in the order of its fields.

use burn::module::{Module, ModuleVisitor, Param};
use burn::prelude::*;
use burn::tensor::Gradients;
use effigy_model::tensors::values;

/// Takes the gradients of all weights of `net` out of `gradients`; zero where there is none.
pub(crate) fn gradients_of<M: Module>(net: &M, gradients: &mut Gradients) -> Vec<Vec<f32>> {
    let mut taker = Taker {
        gradients,
        taken: Vec::new(),
    };
    net.visit(&mut taker);
    taker.taken
}

struct Taker<'a> {
    gradients: &'a mut Gradients,
    taken: Vec<Vec<f32>>,
}

impl ModuleVisitor for Taker<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let weight = param.val();
        let zeros = || vec![0.0; weight.shape().num_elements()];
        let gradient = weight.grad_remove(self.gradients);
        self.taken.push(gradient.map_or_else(zeros, values));
    }
}
