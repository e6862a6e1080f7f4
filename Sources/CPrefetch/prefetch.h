#ifndef REJOINDER_CPREFETCH_PREFETCH_H
#define REJOINDER_CPREFETCH_PREFETCH_H

/* The compiler's builtin, which Swift has no name for. Any address will do: one that is not mapped is ignored. */
static inline void prefetch(const void *address) { __builtin_prefetch(address); }

#endif
