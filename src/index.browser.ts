/** InfraGym in a page: the library and the policies; WebAssembly and AssemblyScript step. */
export * from './library.js';
export * from './policies/index.js';
