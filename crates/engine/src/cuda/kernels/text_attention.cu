// Attention of the tokens of each text to one another.
//
// blocks: tiles * (64 / QUERIES) * heads, heads fastest; 128 threads. QUERIES is 64, and 32 in f32. Tiles are counted in each text
// from its first token, so that what is done for a query depends on its text alone.
#include "attention.cuh"

namespace {

constexpr int TILE_QUERIES = 64;

// What a block is to do.
template <int QUERIES> struct Task {
    int query, queries, begin, end, head, key_head;

    DEVICE Task(const TextAttention& a) : back(a.back), ahead(a.ahead), farthest(a.farthest) {
        constexpr int PARTS = TILE_QUERIES / QUERIES;
        int at = blockIdx.x;
        head = at % a.heads, at /= a.heads, key_head = head / a.sharing;
        QueryTile tile = pointer<const QueryTile>(a.tiles)[at / PARTS];
        start = tile.start, queries = tile.tokens, query = tile.query + at % PARTS * QUERIES;
        int last = least(query + QUERIES, queries) - 1;
        begin = back >= query ? 0 : query - back;
        end = ahead >= queries - last ? queries : last + ahead + 1;
        distances = a.distances ? pointer<const float>(a.distances) + head * (2 * farthest + 1) : nullptr;
    }

    // The end of a tile may have no query.
    DEVICE bool is_empty() const { return query >= queries; }

    DEVICE size_t q_row(int i) const { return size_t(start) + i; }
    DEVICE size_t k_row(int i) const { return size_t(start) + i; }

    DEVICE float score(float x, int query, int key, float unit) const {
        int behind = key - query;
        if (key >= end || behind > ahead || -behind > back) return -INFINITY;
        if (distances) x += distances[farthest + most(least(behind, farthest), -farthest)] * unit;
        return x;
    }

private:
    int start, back, ahead, farthest;
    const float* distances;
};

template <class E, int DEPTH> DEVICE void whole_tile(const TextAttention& a) {
    Task<64> task(a);
    attention16<E, DEPTH>(a, task);
}

template <class E, int DEPTH> DEVICE void half_tile(const TextAttention& a) {
    Task<32> task(a);
    if (!task.is_empty()) attention32<E, DEPTH>(a, task);
}

}  // namespace

// `any` takes heads of every depth up to 256, in f32.
#define ATTENTION(DEPTH)                                                                                           \
    KERNEL(text_attention_b16_##DEPTH, TextAttention, ATTENTION_THREADS, 2) { whole_tile<B16, DEPTH>(a); }         \
    KERNEL(text_attention_f16_##DEPTH, TextAttention, ATTENTION_THREADS, 2) { whole_tile<F16, DEPTH>(a); }         \
    KERNEL(text_attention_f32_##DEPTH, TextAttention, ATTENTION_THREADS, 2) { half_tile<F32, DEPTH>(a); }
ATTENTION(32)
ATTENTION(64)
ATTENTION(96)
ATTENTION(128)
KERNEL(text_attention_b16_any, TextAttention, ATTENTION_THREADS, 2) { half_tile<B16, 256>(a); }
KERNEL(text_attention_f16_any, TextAttention, ATTENTION_THREADS, 2) { half_tile<F16, 256>(a); }
KERNEL(text_attention_f32_any, TextAttention, ATTENTION_THREADS, 2) { half_tile<F32, 256>(a); }
