// What the lanes of a warp do together. A lane leaves what it brings with its warp and gives way; the one that comes last
// does the work for all and goes on.
#include "block.h"
#include "products.h"

namespace emulator {

const char* name_of(Collective collective) {
    switch (collective) {
    case Collective::BARRIER: return "__syncwarp";
    case Collective::SHUFFLE: return "shuffle_xor";
    case Collective::LOAD: return "load_matrices";
    case Collective::LOAD_TRANSPOSED: return "load_transposed";
    case Collective::B16: return "multiply<B16>";
    case Collective::F16: return "multiply<F16>";
    case Collective::T32: return "multiply<T32>";
    }
    return "";
}

namespace {

// The rows that lanes name are those of four matrices of 8 by 8 numbers.
void load(const Operands* lanes, bool transposed) {
    uint16_t rows[LANES][8];
    for (unsigned i = 0; i < LANES; i++) memcpy(rows[i], lanes[i].row, sizeof rows[i]);
    for (unsigned i = 0; i < LANES; i++) {
        unsigned g = i / 4, t = i % 4;
        for (unsigned matrix = 0; matrix < 4; matrix++) {
            const uint16_t (*m)[8] = rows + 8 * matrix;
            uint32_t low = transposed ? m[2 * t][g] : m[g][2 * t], high = transposed ? m[2 * t + 1][g] : m[g][2 * t + 1];
            lanes[i].loaded[matrix] = low | high << 16;
        }
    }
}

// A lane whose partner is no lane of the warp keeps its own.
void shuffle(Operands* lanes) {
    float given[LANES];
    for (unsigned i = 0; i < LANES; i++) given[i] = lanes[i].shuffled;
    for (unsigned i = 0; i < LANES; i++) {
        unsigned partner = i ^ unsigned(lanes[i].lanes);
        memcpy(lanes[i].loaded, &given[partner < LANES ? partner : i], sizeof(float));
    }
}

void perform(Warp& warp) {
    switch (warp.collective) {
    case Collective::BARRIER: break;
    case Collective::SHUFFLE: shuffle(warp.operands); break;
    case Collective::LOAD: load(warp.operands, false); break;
    case Collective::LOAD_TRANSPOSED: load(warp.operands, true); break;
    case Collective::B16: products_b16(warp.operands); break;
    case Collective::F16: products_f16(warp.operands); break;
    case Collective::T32: products_t32(warp.operands); break;
    }
}

inline void meet(Collective collective, const Operands& operands) {
    Thread* me = running();
    Warp& warp = *me->warp;
    if (warp.at_collective == 0) warp.collective = collective;
    else if (warp.collective != collective)
        die("is at %s while other lanes of its warp are at %s", name_of(collective), name_of(warp.collective));
    warp.operands[me->lane] = operands;
    warp.at_collective |= 1u << me->lane;
    warp.runnable &= ~(1u << me->lane);
    if (warp.at_collective != ALL_LANES) return me->owner->give_way();
    perform(warp);
    warp.at_collective = 0, warp.runnable = ALL_LANES;
    me->owner->pass();
}

void meet_rows(Collective collective, uint32_t (&r)[4], const void* row) {
    if (uintptr_t(row) % 16 != 0) die("%s of a row at %p, which is no multiple of 16", name_of(collective), row);
    if (!running()->owner->shares(row, 16))
        die("%s of a row at byte %td of %u of shared memory", name_of(collective),
            static_cast<const unsigned char*>(row) - here->shared, running()->owner->current_work().shared);
    Operands operands = {};
    operands.row = row, operands.loaded = r;
    meet(collective, operands);
}

}  // namespace

void warp_barrier() { meet(Collective::BARRIER, Operands{}); }

float shuffle_xor(float x, int lanes) {
    uint32_t result;
    Operands operands = {};
    operands.shuffled = x, operands.lanes = lanes, operands.loaded = &result;
    meet(Collective::SHUFFLE, operands);
    return from_bits(result);
}

void load_matrices(uint32_t (&r)[4], const void* row) { meet_rows(Collective::LOAD, r, row); }
void load_transposed(uint32_t (&r)[4], const void* row) { meet_rows(Collective::LOAD_TRANSPOSED, r, row); }

void multiply_b16(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    meet(Collective::B16, {sums, a, b, nullptr, nullptr, 0.f, 0});
}
void multiply_f16(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    meet(Collective::F16, {sums, a, b, nullptr, nullptr, 0.f, 0});
}
void multiply_t32(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    meet(Collective::T32, {sums, a, b, nullptr, nullptr, 0.f, 0});
}

}  // namespace emulator
