#ifndef REJOINDER_CLMDB_SHIM_H
#define REJOINDER_CLMDB_SHIM_H

#include <lmdb.h>

#endif
