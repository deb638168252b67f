// Numbers of 16 bits, of tf32 and the bits of f32, to the last bit as the card makes them.
#pragma once
#include <stdint.h>
#include <string.h>

namespace emulator {

inline float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

inline uint32_t to_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

// To the nearest bf16, ties to even: `cvt.rn.bf16.f32`. Any NaN becomes the one that the card gives.
inline uint16_t bf16(float x) {
    uint32_t bits = to_bits(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fff;
    return uint16_t((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

// To the nearest f16, ties to even: `cvt.rn.f16.f32`, which makes what is too large infinite.
inline uint16_t f16(float x) {
    uint32_t bits = to_bits(x), sign = bits >> 16 & 0x8000u;
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u) return 0x7fff;
    // 65520 lies half-way between f16's largest number and what would be the next.
    if (bits >= 0x477ff000u) return uint16_t(sign | 0x7c00u);
    // Below 2^-14 the steps are of 2^-24, which are those of f32 from 0.5 on: the sum rounds, and its low bits are the result.
    if (bits < 0x38800000u) return uint16_t(sign | (to_bits(from_bits(bits) + 0.5f) - to_bits(0.5f)));
    // Elsewhere, 13 bits fewer and an exponent that counts from 15 instead of 127.
    bits += 0xfffu + (bits >> 13 & 1);
    return uint16_t(sign | ((bits - (112u << 23)) >> 13));
}

// Without branches, so that a loop over many becomes vector instructions.
inline float from_f16(uint16_t half) {
    uint32_t bits = to_bits(from_bits(uint32_t(half & 0x7fffu) << 13) * 0x1p112f);
    bits |= (half & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0u;
    return from_bits(bits | uint32_t(half & 0x8000u) << 16);
}

// `cvt.rna.tf32.f32`: to the nearest, ties away from zero.
inline uint32_t tf32(uint32_t word) {
    if ((word & 0x7fffffffu) > 0x7f800000u) return 0x7fffffffu;
    return (word + 0x1000u) & 0xffffe000u;
}

}  // namespace emulator
