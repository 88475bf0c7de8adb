//! How skin, eyes, teeth, cloth and hair answer light.

use super::light::{Lamp, Sky};
use super::noise::{bumps, cloud};
use super::space::{Turn, V3, mix, mix3, smooth, v3};

/// The light at one point.
#[derive(Clone, Copy)]
pub(crate) struct Lit {
    /// Diffuse light, softened under the skin.
    pub(crate) soft: V3,
    /// Share of the lamp that is seen.
    pub(crate) lamp: f32,
    /// Share of the sky that is seen.
    pub(crate) open: f32,
}

/// What shading needs to know of a scene.
pub(crate) struct Lights {
    pub(crate) lamp: Lamp,
    pub(crate) sky: Sky,
    pub(crate) eye: V3,
}

/// What a surface is painted with.
#[derive(Clone, Copy)]
pub(crate) struct Paint {
    /// The share of light that it gives back.
    pub(crate) colour: V3,
    /// Strength of its highlight, 1 is ordinary.
    pub(crate) gloss: f32,
}

/// How light meets a place on the skin.
pub(crate) struct SkinPlace {
    /// With the pores.
    pub(crate) normal: V3,
    /// Without them.
    pub(crate) smooth_normal: V3,
    /// To the camera.
    pub(crate) view: V3,
}

/// Shares of the light that get through to a place.
#[derive(Clone, Copy)]
pub(crate) struct Reached {
    pub(crate) lamp: f32,
    pub(crate) sky: f32,
}

/// How a place on a hair lies.
pub(crate) struct HairPlace {
    /// The hair's tangent.
    pub(crate) along: V3,
    /// Outwards from the head.
    pub(crate) normal: V3,
    /// To the camera.
    pub(crate) view: V3,
}

/// How smooth a surface is and how much it mirrors when looked at straight.
struct Finish {
    roughness: f32,
    f0: f32,
}

impl Lights {
    /// A highlight: GGX with the visibility of Kelemen and Szirmay-Kalos, widened by the lamp.
    fn highlight(&self, normal: V3, view: V3, Finish { roughness, f0 }: Finish) -> f32 {
        let light = self.lamp.towards;
        let half = (light + view).unit();
        let cos = normal.dot(light).max(0.0);
        let at_half = normal.dot(half).clamp(0.0, 1.0);
        let a = roughness * roughness + 0.35 * self.lamp.radius;
        let a2 = a * a;
        let d = a2 / (std::f32::consts::PI * (at_half * at_half * (a2 - 1.0) + 1.0).powi(2));
        let to_half = light.dot(half).max(0.1);
        let fresnel = f0 + (1.0 - f0) * (1.0 - to_half).powi(5);
        // The lamp's colour is its light over pi.
        (d * fresnel / (4.0 * to_half * to_half) * cos * std::f32::consts::PI).min(40.0)
    }

    /// What a smooth surface mirrors of the sky.
    fn mirror(&self, normal: V3, view: V3, f0: f32) -> V3 {
        let facing = normal.dot(view).clamp(0.0, 1.0);
        let reflected = normal * (2.0 * normal.dot(view)) - view;
        let fresnel = f0 + (1.0 - f0) * 0.7 * (1.0 - facing).powi(5);
        self.sky.radiance(reflected) * fresnel
    }

    /// Direct light of the lamp on skin: the edge of the shadow is redder, as light under the
    /// skin passes it.
    pub(crate) fn wrapped(&self, normal: V3) -> V3 {
        let cos = normal.dot(self.lamp.towards);
        let wrap = |w: f32| {
            let t = ((cos + w) / (1.0 + w)).max(0.0);
            t.powf(1.0 + 0.6 * w)
        };
        self.lamp
            .colour
            .tint(v3(wrap(0.20), wrap(0.12), wrap(0.09)))
    }

    /// Skin.
    pub(crate) fn skin(&self, place: &SkinPlace, paint: Paint, lit: &Lit) -> V3 {
        const F0: f32 = 0.028;
        let &SkinPlace {
            normal,
            smooth_normal,
            view,
        } = place;
        let Paint { colour, gloss } = paint;
        // Diffuse light was softened under the skin, by vertex: pores only tilt what is left of it.
        let relief = 1.0 + 0.9 * lit.lamp * (normal - smooth_normal).dot(self.lamp.towards);
        let body = colour.tint(lit.soft) * relief.max(0.2);
        // Two lobes: a wide one of the skin and a narrow one of the oil on it.
        let lobe = |roughness: f32| self.highlight(normal, view, Finish { roughness, f0: F0 });
        let oily = 0.62 * lobe(0.56) + 0.38 * lobe(0.34);
        let shine = self.lamp.colour * (gloss * lit.lamp * oily);
        // A crease mirrors the skin opposite rather than the sky.
        let open = lit.open * lit.open;
        let sky = self.mirror(normal, view, F0) * (0.75 * gloss.min(1.2) * open);
        // Down catches light where the skin turns away.
        let facing = smooth_normal.dot(view).clamp(0.0, 1.0);
        let fuzz = lit.soft * (0.035 * (1.0 - facing).powi(3));
        body + shine + sky + fuzz
    }

    /// Knitted cloth.
    pub(crate) fn cloth(&self, normal: V3, view: V3, colour: V3, lit: &Lit) -> V3 {
        let facing = normal.dot(view).clamp(0.0, 1.0);
        let fuzz = 0.22 * (1.0 - facing).powi(3);
        colour.tint(lit.soft) + lit.soft * (fuzz * (0.08 + colour.mean()))
    }

    /// Teeth and the wet inside of the mouth; `open` says how much light gets in.
    pub(crate) fn wet(&self, normal: V3, view: V3, paint: Paint, open: f32) -> V3 {
        const WATER: Finish = Finish {
            roughness: 0.25,
            f0: 0.04,
        };
        let Paint { colour, gloss } = paint;
        let cos = normal.dot(self.lamp.towards);
        let direct = self.lamp.colour * ((cos + 0.35) / 1.35).max(0.0);
        let light = direct + self.sky.irradiance(normal);
        let shine = self.lamp.colour * self.highlight(normal, view, WATER)
            + self.mirror(normal, view, WATER.f0);
        (colour.tint(light) + shine * (gloss * open)) * open
    }

    /// An eyeball: white with veins, iris under a clear cornea, and what it mirrors.
    pub(crate) fn eyeball(&self, eye: &Eye<'_>, p: V3, normal: V3, reached: Reached) -> V3 {
        let Reached { lamp, sky } = reached;
        let view = (self.eye - p).unit();
        let inwards = eye.turn.inverse();
        let local = inwards.apply(p - eye.middle) * (1.0 / eye.radius);
        let sight = inwards.apply(view);
        let away = local.x.hypot(local.y);
        let in_iris = smooth(IRIS + 0.035, IRIS - 0.03, away);
        let white = eye.white(local);
        let colour = if in_iris > 0.0 {
            let iris = self.iris(eye, local, sight);
            mix3(white, iris, in_iris)
        } else {
            white
        };
        let cos = normal.dot(self.lamp.towards);
        let direct = self.lamp.colour * ((cos + 0.2) / 1.2).max(0.0) * lamp;
        let light = direct + self.sky.irradiance(normal) * sky;
        let shine = self.lamp.colour * (lamp * self.eye_highlight(normal, view));
        let mirror = self.mirror(normal, view, 0.035) * (0.9 * sky);
        colour.tint(light) + shine + mirror
    }

    /// The image of the lamp on the cornea: a disc with a soft edge.
    fn eye_highlight(&self, normal: V3, view: V3) -> f32 {
        let reflected = normal * (2.0 * normal.dot(view)) - view;
        let angle = reflected.dot(self.lamp.towards).clamp(-1.0, 1.0).acos();
        let radius = self.lamp.radius;
        let disc = smooth(radius + 0.10, radius * 0.8, angle);
        let halo = (-(angle / 0.5).powi(2)).exp();
        // Light over pi spread over the disc it comes from, and what water mirrors of it.
        let radiance = 0.03 / (radius * radius).max(0.004);
        disc * radiance.min(6.0) + 0.02 * halo
    }

    fn iris(&self, eye: &Eye<'_>, local: V3, sight: V3) -> V3 {
        // Light bends at the cornea: the iris lies deeper and is seen from more in front.
        let depth = 0.16;
        let bend = 0.55 / sight.z.max(0.3);
        let (x, y) = (
            local.x - sight.x * depth * bend,
            local.y - sight.y * depth * bend,
        );
        let r = x.hypot(y) / IRIS;
        let turn = y.atan2(x);
        let (sin, cos) = turn.sin_cos();
        let fibre = |n: f32, seed: u32| bumps(v3(cos * n, sin * n, r * 3.0), eye.seed + seed);
        let fibres = 0.6 * fibre(9.0, 1) + 0.4 * fibre(21.0, 2);
        let collar = smooth(0.62, 0.42, r) * smooth(0.28, 0.4, r);
        let colour = eye.iris * (1.0 + 0.55 * fibres)
            + v3(0.05, 0.026, 0.008) * (collar * (0.6 + 0.4 * fibres));
        let rim = 1.0 - 0.85 * smooth(0.74, 1.0, r);
        let lamp = eye.turn.inverse().apply(self.lamp.towards);
        // Light that enters on one side gathers on the other.
        let caustic = 1.0 - 1.1 * (x * lamp.x + y * lamp.y) / IRIS * smooth(0.3, 0.9, r);
        let pupil = smooth(0.345, 0.30, r);
        mix3(colour * (rim * caustic.max(0.2)), V3::all(0.002), pupil) * 1.15
    }

    /// A hair; after Kajiya and Kay, with a second, coloured highlight.
    pub(crate) fn hair(&self, place: &HairPlace, colour: V3, reached: Reached) -> V3 {
        let &HairPlace {
            along,
            normal,
            view,
        } = place;
        let light = self.lamp.towards;
        let half = (light + view).unit();
        let sine = |cos: f32| (1.0 - cos * cos).max(0.0).sqrt();
        let across = sine(along.dot(light));
        let facing = ((normal.dot(light) + 0.45) / 1.45).max(0.0);
        // Scales on the hair tilt what it mirrors towards its root, and what went through it the
        // other way: two highlights, the second as coloured as the hair.
        let first = sine((along + normal * 0.10).unit().dot(half)).powi(60);
        let second = sine((along - normal * 0.14).unit().dot(half)).powi(14);
        let direct = colour * (0.85 * across)
            + V3::all(0.035 * first)
            + mix3(colour, V3::all(0.1), 0.15) * (0.9 * second);
        let sky = self.sky.irradiance(normal) * (0.9 * reached.sky);
        let sheen = self.sky.radiance(normal) * (0.010 * reached.sky);
        self.lamp.colour.tint(direct) * (facing * reached.lamp) + sky.tint(colour) + sheen
    }
}

/// Radius of the iris on an eyeball of radius 1.
const IRIS: f32 = 0.405;

/// An eye as it is turned now.
pub(crate) struct Eye<'a> {
    pub(crate) turn: &'a Turn,
    pub(crate) middle: V3,
    pub(crate) radius: f32,
    pub(crate) iris: V3,
    pub(crate) seed: u32,
}

impl Eye<'_> {
    fn white(&self, local: V3) -> V3 {
        let away = local.x.hypot(local.y);
        let corner = smooth(0.55, 0.95, away);
        let warp = v3(local.x * 5.0, local.y * 9.0, local.z * 5.0);
        let vein = 1.0 - (cloud(warp, 3, self.seed + 8).abs() * 9.0).min(1.0);
        let red = (0.22 * corner + 0.30 * vein * smooth(0.45, 0.8, away)).min(0.6);
        let base = mix3(v3(0.56, 0.53, 0.50), v3(0.50, 0.30, 0.26), red);
        base * mix(0.80, 1.0, smooth(IRIS, IRIS + 0.10, away))
    }
}
