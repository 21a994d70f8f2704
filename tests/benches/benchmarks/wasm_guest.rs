//! The same call of a WebAssembly guest in wasmtime. The guest is written by hand: it takes the request
//! in and answers, and neither reads nor makes a message, so a command compiled to WebAssembly can only
//! take longer. The host's side is whole.

use playdock_plugin_api::messages::{self, Response};
use wasmtime::{Engine, Instance, Memory, Module, Store, TypedFunc};

/// Where the guest takes requests in; its response lies at the beginning.
const REQUEST: usize = 4096;

/// The guest, warm.
pub(crate) struct Guest {
    store: Store<()>,
    memory: Memory,
    invoke: TypedFunc<(u32, u32), u32>,
}

impl Guest {
    /// Starts a guest that gives this response.
    pub(crate) fn start(response: &[u8]) -> Guest {
        let engine = Engine::default();
        let text = format!(
            "(module
                (memory (export \"memory\") 1)
                (func (export \"invoke\") (param i32 i32) (result i32) (i32.const {})))",
            response.len()
        );
        let module = Module::new(&engine, text).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        memory.write(&mut store, 0, response).unwrap();
        let invoke = instance.get_typed_func(&mut store, "invoke").unwrap();
        Guest { store, memory, invoke }
    }

    /// One call: the request is copied in, and the response copied out and read.
    pub(crate) fn call(&mut self, request: &[u8]) {
        self.memory.write(&mut self.store, REQUEST, request).unwrap();
        let place = [REQUEST, request.len()].map(|number| u32::try_from(number).unwrap());
        let length = self.invoke.call(&mut self.store, place.into()).unwrap();
        let mut response = vec![0; length as usize];
        self.memory.read(&self.store, 0, &mut response).unwrap();
        let Response::Finished(_) = messages::read(&response).unwrap() else {
            panic!("not finished")
        };
    }
}
