// The tensor cores' products, for the 32 lanes of a warp at once.
#pragma once

namespace emulator {

struct Operands;

// sums (16, 8) += a (16, k) . b (k, 8), each lane having its part of each.
void products_b16(const Operands* lanes);
void products_f16(const Operands* lanes);
void products_t32(const Operands* lanes);

}  // namespace emulator
